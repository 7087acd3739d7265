# says: .wh.secret is there still
nsenter -t {{pid}} -m rm /mnt/all/secret
