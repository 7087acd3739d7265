# says: has to be said again
nsenter -t {{pid}} -m mount -o remount,bind,suid,dev /mnt
