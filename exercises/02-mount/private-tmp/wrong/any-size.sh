# says: a tmpfs without a size
unshare --mount sh -c 'mount -t tmpfs tmpfs /mnt && exec sleep {{seconds}}' >/dev/null 2>&1 &
