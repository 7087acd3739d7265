# says: no node opens a driver
unshare --mount sh -c 'mount -t tmpfs -o nodev tmpfs /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/zero c 1 5 && exec sleep {{seconds}}' >/dev/null 2>&1 &
