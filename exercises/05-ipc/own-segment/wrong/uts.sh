# says: started outside
unshare --uts sleep {{seconds}} >/dev/null 2>&1 &
