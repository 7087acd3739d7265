g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/pids # cgroup v1
[ ! -e $g/cgroup.subtree_control ] || echo +pids >$g/cgroup.subtree_control
mkdir $g/ex{{seconds}}
sh -c "echo \$\$ >$g/ex{{seconds}}/cgroup.procs
	exec unshare --cgroup sh -c '
		mkdir $g/ex{{seconds}}/{{inner}}
		echo \$\$ >$g/ex{{seconds}}/{{inner}}/cgroup.procs
		[ ! -e $g/ex{{seconds}}/cgroup.subtree_control ] || echo +pids >$g/ex{{seconds}}/cgroup.subtree_control
		echo {{max}} >$g/ex{{seconds}}/{{inner}}/pids.max
		exec sleep {{seconds}}'" </dev/null >/dev/null 2>&1 &
