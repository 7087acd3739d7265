# says: it was replaced
nsenter -t {{pid}} -m sh -c 'rm /mnt/door; mknod -m 666 /mnt/door c 1 3'
