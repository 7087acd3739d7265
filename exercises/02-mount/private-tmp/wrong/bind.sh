# says: that is no tmpfs of its own
unshare --mount sh -c 'mount --bind /usr /mnt && exec sleep {{seconds}}' >/dev/null 2>&1 &
