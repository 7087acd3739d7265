# says: one namespace was asked for
unshare --ipc --net sleep {{seconds}} >/dev/null 2>&1 &
