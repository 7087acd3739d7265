path() { if grep -q :pids: "$1"; then sed -n 's/^[0-9]*:pids://p' "$1"; else sed -n 's/^0:://p' "$1"; fi; }
cat /proc/{{pid}}/cgroup >outside
nsenter -t {{pid}} -C cat /proc/{{pid}}/cgroup >inside
{
	echo "outside: $(path outside)"
	echo "inside: $(path inside)"
	echo "namespace: $(readlink /proc/{{pid}}/ns/cgroup)"
} >answers.txt
