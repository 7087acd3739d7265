# says: the namespace was made before the move
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/pids # cgroup v1
mkdir $g/ex{{seconds}}
unshare --cgroup sh -c "echo \$\$ >$g/ex{{seconds}}/cgroup.procs; exec sleep {{seconds}}" >/dev/null 2>&1 &
