unshare --uts --mount sh -c 'hostname {{name}} && mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir 1 2 3 upper work all && for n in 1 2 3; do echo "from $n" >$n/text; done &&
	touch 1/a 2/b 3/c 1/d 2/e 3/f && head -c {{size}} /dev/zero >2/big &&
	mount -t overlay overlay all -o lowerdir=$(echo {{order}} | sed "s,^,/mnt/,; s,:,:/mnt/,g"),upperdir=/mnt/upper,workdir=/mnt/work &&
	for f in $(echo a b c d e f | cut -d" " -f 1-{{deleted}}); do rm all/$f; done && echo >>all/big &&
	exec sleep {{seconds}}' </dev/null >/dev/null 2>&1 &
