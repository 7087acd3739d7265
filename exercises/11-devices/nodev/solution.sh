nsenter -t {{pid}} -m mount -o remount,bind,nosuid,dev /mnt
