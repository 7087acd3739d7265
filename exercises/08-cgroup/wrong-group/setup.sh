g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/pids # cgroup v1
[ ! -e $g/cgroup.subtree_control ] || echo +pids >$g/cgroup.subtree_control
mkdir $g/ex{{seconds}} $g/ex{{seconds}}-limited
echo {{max}} >$g/ex{{seconds}}-limited/pids.max
sh -c "echo \$\$ >$g/ex{{seconds}}/cgroup.procs; exec sleep {{seconds}}" </dev/null >/dev/null 2>&1 &
