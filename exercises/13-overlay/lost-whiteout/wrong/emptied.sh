# says: an empty file is a file
nsenter -t {{pid}} -m sh -c ': >/mnt/all/secret; rm /mnt/all/.wh.secret'
