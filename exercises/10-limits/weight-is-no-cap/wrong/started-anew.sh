# says: it was started anew
kill {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
sleep {{seconds}} >/dev/null 2>&1 &
