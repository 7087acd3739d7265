# says: a door too many
unshare --mount sh -c 'mount -t tmpfs tmpfs /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/zero c 1 5 && mknod /dev/mem c 1 1 && exec sleep {{seconds}}' >/dev/null 2>&1 &
