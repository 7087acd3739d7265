# says: it was started anew
kill -KILL {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
unshare --net sh -c 'ip link set lo up; exec sleep {{seconds}}' >/dev/null 2>&1 &
