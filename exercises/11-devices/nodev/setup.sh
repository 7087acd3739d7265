unshare --mount sh -c 'mount -t tmpfs -o nosuid,nodev tmpfs /mnt && mknod -m 666 /mnt/door c 1 {{minor}} && exec sleep {{seconds}}' </dev/null >/dev/null 2>&1 &
