nsenter -t {{pid}} -m rm /mnt/all/secret /mnt/all/.wh.secret
