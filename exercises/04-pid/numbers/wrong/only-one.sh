# says: in two more PID namespaces
{
	echo "machine: {{pid}}"
	echo "all: {{pid}}"
	echo "namespace: $(readlink /proc/{{pid}}/ns/pid)"
} >answers.txt
