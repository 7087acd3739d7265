# says: not in the mount namespace of the process
unshare --mount sh -c 'mount --bind /dev/null /proc/interrupts && exec sleep 60' >/dev/null 2>&1 &
