s=/proc/{{pid}}/status
group=$(sed -n 's/^[0-9]*:memory://p' /proc/{{pid}}/cgroup)
limit=/sys/fs/cgroup/memory$group/memory.limit_in_bytes
[ -n "$group" ] || limit=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/{{pid}}/cgroup)/memory.max
{
	sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/uid: \1/p; s/^Seccomp_filters:[[:space:]]*/filters: /p' $s
	echo "memory: $(cat $limit)"
	if grep -q '^NoNewPrivs:.*1' $s; then echo "promise: yes"; else echo "promise: no"; fi
	sed -n 's/.* \/ .*upperdir=\([^,]*\).*/upper: \1/p' /proc/{{pid}}/mountinfo
} >answers.txt
