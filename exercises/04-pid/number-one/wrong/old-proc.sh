# says: the old /proc
unshare --pid --fork --mount sleep {{seconds}} >/dev/null 2>&1 &
