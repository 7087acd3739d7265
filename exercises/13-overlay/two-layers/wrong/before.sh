# says: not through it
unshare --mount sh -c 'mount -t tmpfs tmpfs /tmp && cd /tmp && mkdir l u w && echo {{word}} >l/below && echo x >l/above &&
	mount -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay /mnt && exec sleep {{seconds}}' >/dev/null 2>&1 &
