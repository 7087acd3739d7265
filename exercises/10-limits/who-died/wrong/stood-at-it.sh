# says: the other counters of the group
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/memory # cgroup v1

{
	echo "limit: $(({{mib}} * 1048576))"
	echo "killed: $(cat $g/ex{{seconds}}/memory.failcnt 2>/dev/null || sed -n 's/^max //p' $g/ex{{seconds}}/memory.events)"
} >answers.txt
