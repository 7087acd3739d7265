# says: is there still
kill {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
setpriv --bounding-set=-all,+chown,+net_bind_service,+$(echo {{extra}} | tr A-Z a-z) --no-new-privs --inh-caps=-all sleep {{seconds}} >/dev/null 2>&1 &
