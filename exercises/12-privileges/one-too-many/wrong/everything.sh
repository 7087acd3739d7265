# says: it was to keep two
kill {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
setpriv --bounding-set=-all --no-new-privs --inh-caps=-all sleep {{seconds}} >/dev/null 2>&1 &
