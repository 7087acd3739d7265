# says: no node can be opened
unshare --mount sh -c 'mount -t tmpfs tmpfs /mnt; mknod /mnt/door c 1 {{minor}}; exec sleep 60' >/dev/null 2>&1 &
