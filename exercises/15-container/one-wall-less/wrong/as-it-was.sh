# says: compare /proc/PID/ns with that of your shell
kill -9 {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
unshare $(echo "--mount --uts --ipc --net --pid --fork --mount-proc" | sed "s/{{missing}}//") sleep {{seconds}} </dev/null >/dev/null 2>&1 &
