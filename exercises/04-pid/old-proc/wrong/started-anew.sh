# says: it was started anew
kill -KILL {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
unshare --pid --fork --mount-proc sleep {{seconds}} >/dev/null 2>&1 &
