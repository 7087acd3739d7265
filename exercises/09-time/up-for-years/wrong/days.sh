# says: not by so much
unshare --time --fork --boottime $(({{ahead}} / 86400)) sleep {{seconds}} >/dev/null 2>&1 &
