# says: the promise is not made
kill {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
setpriv --bounding-set=-all,+chown,+net_bind_service --inh-caps=-all sleep {{seconds}} >/dev/null 2>&1 &
