# says: that is no overlay
nsenter -t {{pid}} -m mount --bind /mnt/a/lower /mnt/all
