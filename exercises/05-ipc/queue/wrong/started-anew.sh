# says: it was started anew
kill -KILL {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
unshare --ipc --mount sh -c 'mount -t mqueue mqueue /mnt && : >/mnt/{{queue}} && exec sleep {{seconds}}' >/dev/null 2>&1 &
