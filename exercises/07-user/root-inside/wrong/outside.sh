# says: started outside
setpriv --reuid {{uid}} --regid {{uid}} --clear-groups sleep {{seconds}} >/dev/null 2>&1 &
