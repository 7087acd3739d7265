g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/memory # cgroup v1
limit=memory.max
if [ -e $g/cgroup.subtree_control ]; then echo +memory >$g/cgroup.subtree_control; else limit=memory.limit_in_bytes; fi
mkdir $g/ex{{seconds}}
echo {{mib}}M >$g/ex{{seconds}}/$limit
[ ! -e $g/ex{{seconds}}/memory.swap.max ] || echo 0 >$g/ex{{seconds}}/memory.swap.max
for n in 1 2 3 4 5; do
	[ $n -gt {{hogs}} ] || sh -c "echo \$\$ >$g/ex{{seconds}}/cgroup.procs; exec dd if=/dev/zero of=/dev/null bs=20M count=1" >/dev/null 2>&1 || true
done
sh -c "echo \$\$ >$g/ex{{seconds}}/cgroup.procs; exec sleep {{seconds}}" </dev/null >/dev/null 2>&1 &
