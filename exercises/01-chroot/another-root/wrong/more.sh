# says: no new namespace was asked for
mkdir -p root/bin
cp /bin/busybox root/bin/busybox
unshare --uts chroot root /bin/busybox sleep {{seconds}} >/dev/null 2>&1 &
