# says: that is the machine's
unshare --mount sh -c 'mount --bind /dev /dev; exec sleep {{seconds}}' >/dev/null 2>&1 &
