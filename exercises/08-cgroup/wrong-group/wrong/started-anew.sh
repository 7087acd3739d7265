# says: it was started anew
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/pids # cgroup v1
kill {{pid}}
echo $$ >$g/ex{{seconds}}-limited/cgroup.procs
while [ -e /proc/{{pid}}/exe ]; do sleep 0.1; done
sleep {{seconds}} >/dev/null 2>&1 &
