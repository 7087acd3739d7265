unshare --mount sh -c 'mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir a b all && mount -t tmpfs tmpfs a && mount -t tmpfs tmpfs b && mkdir a/lower a/upper b/work && echo {{word}} >a/lower/below &&
	! mount -t overlay overlay all -o lowerdir=/mnt/a/lower,upperdir=/mnt/a/upper,workdir=/mnt/b/work 2>/dev/null &&
	exec sleep {{seconds}}' </dev/null >/dev/null 2>&1 &
