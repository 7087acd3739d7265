# says: somebody has changed the limit
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/pids # cgroup v1
echo {{pid}} >$g/ex{{seconds}}-limited/cgroup.procs
echo max >$g/ex{{seconds}}-limited/pids.max
