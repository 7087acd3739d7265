# says: the process was to move, not the limit
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/pids # cgroup v1
echo {{max}} >$g/ex{{seconds}}/pids.max
