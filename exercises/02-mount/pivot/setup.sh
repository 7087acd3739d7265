mkdir -p root/bin
cp /bin/busybox root/bin/busybox
ln -sf busybox root/bin/sh
ln -sf busybox root/bin/sleep
echo {{word}} >outside
