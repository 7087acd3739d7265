g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/cpu # cgroup v1
mkdir -p $g/ex{{seconds}}
if [ -e $g/cgroup.controllers ]; then
	echo +cpu >$g/cgroup.subtree_control
	echo 50 >$g/ex{{seconds}}/cpu.weight
else
	echo 512 >$g/ex{{seconds}}/cpu.shares
fi
sh -c "echo \$\$ >$g/ex{{seconds}}/cgroup.procs; exec sleep {{seconds}}" </dev/null >/dev/null 2>&1 &
