mkdir -p root/bin
cp /bin/busybox root/bin/busybox
chroot root /bin/busybox sleep {{seconds}} >/dev/null 2>&1 &
