# says: that is more than chroot
mkdir -p root/bin
cp /bin/busybox root/bin/busybox
unshare --mount chroot root /bin/busybox sleep {{seconds}} >/dev/null 2>&1 &
