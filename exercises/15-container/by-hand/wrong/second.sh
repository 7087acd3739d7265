# says: somebody else is number 1
mkdir -p root/bin root/proc root/old
cp /bin/busybox root/bin/busybox
ln -s busybox root/bin/sh
unshare --mount --uts --ipc --net --pid --fork sh -c '
	busybox hostname {{name}}; busybox ip link set lo up;
	mount --bind root root; mount -t proc proc root/proc;
	cd root; pivot_root . old
	exec /bin/busybox sh -c "/bin/busybox umount -l /old; /bin/busybox sleep {{seconds}}; true"' </dev/null >/dev/null 2>&1 &
