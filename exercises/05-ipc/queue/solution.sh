nsenter -t {{pid}} --ipc --mount mount -t mqueue mqueue /mnt
