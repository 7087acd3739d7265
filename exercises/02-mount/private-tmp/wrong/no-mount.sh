# says: nothing is mounted there
unshare --mount sleep {{seconds}} >/dev/null 2>&1 &
