# says: the lower layer was changed
nsenter -t {{pid}} -m rm /mnt/lower/secret
