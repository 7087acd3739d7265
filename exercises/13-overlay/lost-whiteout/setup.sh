unshare --mount sh -c 'mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir lower upper work all && echo {{word}} >lower/secret && echo x >lower/app && : >upper/.wh.secret &&
	mount -t overlay overlay all -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work &&
	exec sleep {{seconds}}' </dev/null >/dev/null 2>&1 &
