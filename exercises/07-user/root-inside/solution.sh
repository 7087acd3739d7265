setpriv --reuid {{uid}} --regid {{uid}} --clear-groups unshare --user --map-root-user sleep {{seconds}} >/dev/null 2>&1 &
