# says: umount -l takes it away
mkdir -p root/bin root/proc root/mnt
cp /bin/busybox root/bin/busybox
ln -s busybox root/bin/sh
unshare --mount --uts --ipc --net --pid --fork sh -c '
	busybox hostname {{name}}; busybox ip link set lo up;
	mount --bind root root; mount -t proc proc root/proc;
	cd root; pivot_root . mnt
	exec /bin/busybox sh -c "exec /bin/busybox sleep {{seconds}}"' </dev/null >/dev/null 2>&1 &
