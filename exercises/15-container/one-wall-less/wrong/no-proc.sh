# says: has the machine's /proc
kill -9 {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
unshare --mount --uts --ipc --net --pid --fork sleep {{seconds}} </dev/null >/dev/null 2>&1 &
