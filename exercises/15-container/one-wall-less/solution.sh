kill -9 {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
unshare --mount --uts --ipc --net --pid --fork --mount-proc sleep {{seconds}} </dev/null >/dev/null 2>&1 &
