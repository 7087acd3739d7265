# says: not that of your shell
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/pids # cgroup v1
echo $$ >$g/ex{{seconds}}-limited/cgroup.procs
