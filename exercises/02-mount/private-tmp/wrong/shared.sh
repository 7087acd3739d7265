# says: propagates
unshare --mount --propagation shared sh -c 'mount -t tmpfs -o size={{kib}}k tmpfs /mnt && mount --make-shared /mnt && exec sleep {{seconds}}' >/dev/null 2>&1 &
