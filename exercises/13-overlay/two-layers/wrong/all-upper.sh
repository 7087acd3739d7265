# says: it lies in the upper layer
unshare --mount sh -c 'mount -t tmpfs tmpfs /tmp && cd /tmp && mkdir l u w && echo {{word}} >u/below &&
	mount -t overlay -o lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w overlay /mnt && echo x >/mnt/above && exec sleep {{seconds}}' >/dev/null 2>&1 &
