unshare --ipc --mount sh -c 'mount -t mqueue mqueue /mnt && : >/mnt/{{queue}} && umount /mnt && exec sleep {{seconds}}' </dev/null >/dev/null 2>&1 &
