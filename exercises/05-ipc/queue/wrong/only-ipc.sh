# says: it is mounted on the machine's /mnt
nsenter -t {{pid}} --ipc mount -t mqueue mqueue /mnt
