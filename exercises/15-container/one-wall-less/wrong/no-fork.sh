# says: it is in the machine's PID namespace
kill -9 {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
unshare --mount --uts --ipc --net --pid sleep {{seconds}} </dev/null >/dev/null 2>&1 &
