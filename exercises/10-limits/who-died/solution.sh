g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/memory # cgroup v1
cd $g/ex{{seconds}}
{
	echo "limit: $(cat memory.max 2>/dev/null || cat memory.limit_in_bytes)"
	echo "killed: $(cat memory.events memory.oom_control 2>/dev/null | sed -n 's/^oom_kill //p')"
	echo "threads: $(sed -n 's/^Threads:[[:space:]]*//p' /proc/{{pid}}/status)"
} >"$OLDPWD/answers.txt"
