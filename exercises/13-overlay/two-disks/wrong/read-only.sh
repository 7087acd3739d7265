# says: it can only be read
nsenter -t {{pid}} -m mount -t overlay overlay /mnt/all -o lowerdir=/mnt/a/upper:/mnt/a/lower
