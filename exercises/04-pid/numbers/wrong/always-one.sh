# says: it is not number 1 anywhere
{
	echo "machine: {{pid}}"
	echo "all: {{pid}} 1 1"
	echo "namespace: $(readlink /proc/{{pid}}/ns/pid)"
} >answers.txt
