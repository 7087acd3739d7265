# says: the lower one shines through
nsenter -t {{pid}} -m rm /mnt/all/.wh.secret
