# says: and in the bounding set still
kill {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
setpriv --bounding-set=-all,+chown,+net_bind_service,+$(echo {{extra}} | tr A-Z a-z) --securebits=+noroot \
	--inh-caps=-all,+chown --ambient-caps=-all,+chown --no-new-privs sleep {{seconds}} >/dev/null 2>&1 &
