# says: a number without a letter counts bytes
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/memory # cgroup v1
limit=memory.max
if [ -e $g/cgroup.subtree_control ]; then echo +memory >$g/cgroup.subtree_control; else limit=memory.limit_in_bytes; fi
mkdir $g/ex{{seconds}}
echo {{mib}}000000 >$g/ex{{seconds}}/$limit
sh -c "echo \$\$ >$g/ex{{seconds}}/cgroup.procs; exec sleep {{seconds}}" >/dev/null 2>&1 &
