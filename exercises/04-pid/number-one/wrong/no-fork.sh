# says: only children are born into it
unshare --pid --mount sleep {{seconds}} >/dev/null 2>&1 &
