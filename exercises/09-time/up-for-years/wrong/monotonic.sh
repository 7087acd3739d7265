# says: that is the monotonic clock
unshare --time --fork --monotonic {{ahead}} sleep {{seconds}} >/dev/null 2>&1 &
