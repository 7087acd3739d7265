# says: a chroot is a wall to walk around
mkdir -p root/bin root/proc root/old
cp /bin/busybox root/bin/busybox
ln -s busybox root/bin/sh
unshare --mount --uts --ipc --net --pid --fork sh -c '
	busybox hostname {{name}}; busybox ip link set lo up; mount -t proc proc root/proc;
	exec chroot root /bin/busybox sh -c "exec /bin/busybox sleep {{seconds}}"' </dev/null >/dev/null 2>&1 &
