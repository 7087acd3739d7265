# says: these are the queues of another namespace
nsenter -t {{pid}} --mount mount -t mqueue mqueue /mnt
