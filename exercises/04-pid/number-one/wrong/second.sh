# says: somebody else is number 1
unshare --pid --fork --mount --mount-proc sh -c 'sleep {{seconds}}; true' >/dev/null 2>&1 &
