unshare --user sleep {{seconds}} </dev/null >/dev/null 2>&1 &
