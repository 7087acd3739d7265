# says: is no mqueue
nsenter -t {{pid}} --ipc --mount sh -c "mount -t tmpfs tmpfs /mnt && : >/mnt/{{queue}}"
