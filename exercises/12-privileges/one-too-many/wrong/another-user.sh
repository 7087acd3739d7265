# says: it was to stay root
kill {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
setpriv --reuid=1000 --bounding-set=-all,+chown,+net_bind_service --no-new-privs --inh-caps=-all sleep {{seconds}} >/dev/null 2>&1 &
