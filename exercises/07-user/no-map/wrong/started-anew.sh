# says: it was started anew
kill -KILL {{pid}}
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
unshare --user sleep {{seconds}} >/dev/null 2>&1 &
until [ "$(readlink /proc/$!/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.1; done
echo 0 0 {{count}} >/proc/$!/uid_map
echo 0 0 {{count}} >/proc/$!/gid_map
