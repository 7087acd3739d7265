# says: that is a lower layer
{
	sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/uid: \1/p; s/^Seccomp_filters:[[:space:]]*/filters: /p' /proc/{{pid}}/status
	echo "memory: $(({{mib}} * 1048576))"
	if grep -q '^NoNewPrivs:.*1' /proc/{{pid}}/status; then echo "promise: yes"; else echo "promise: no"; fi
	sed -n 's/.* \/ .*lowerdir+*=\([^,:]*\).*/upper: \1/p' /proc/{{pid}}/mountinfo
} >answers.txt
