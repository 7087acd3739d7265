# says: a limit holds for those in the group
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/memory # cgroup v1
limit=memory.max
if [ -e $g/cgroup.subtree_control ]; then echo +memory >$g/cgroup.subtree_control; else limit=memory.limit_in_bytes; fi
mkdir $g/ex{{seconds}}
echo {{mib}}M >$g/ex{{seconds}}/$limit
sleep {{seconds}} >/dev/null 2>&1 &
