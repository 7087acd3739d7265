# says: it was taken away
nsenter -t {{pid}} -m umount /mnt/{{name}}
