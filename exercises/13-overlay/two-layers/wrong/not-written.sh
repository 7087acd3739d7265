# says: nobody has written it
unshare --mount sh -c 'mount -t tmpfs tmpfs /tmp && cd /tmp && mkdir l u w && echo {{word}} >l/below &&
	mount -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay /mnt && exec sleep {{seconds}}' >/dev/null 2>&1 &
