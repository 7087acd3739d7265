# says: has no upper layer
unshare --mount sh -c 'mount -t tmpfs tmpfs /tmp && cd /tmp && mkdir l m && echo {{word}} >l/below &&
	mount -t overlay -o lowerdir=l:m overlay /mnt && exec sleep {{seconds}}' >/dev/null 2>&1 &
