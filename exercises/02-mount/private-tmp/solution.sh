unshare --mount sh -c 'mount -t tmpfs -o size={{kib}}k tmpfs /mnt && exec sleep {{seconds}}' >/dev/null 2>&1 &
