# says: that is no overlay
unshare --mount sh -c 'mount -t tmpfs tmpfs /tmp && cd /tmp && mkdir l && echo {{word}} >l/below &&
	mount --bind l /mnt && echo x >/mnt/above && exec sleep {{seconds}}' >/dev/null 2>&1 &
