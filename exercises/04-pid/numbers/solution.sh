{
	echo "machine: {{pid}}"
	echo "all: $(sed -n "s/^NSpid:[[:space:]]*//p" /proc/{{pid}}/status)"
	echo "namespace: $(readlink /proc/{{pid}}/ns/pid)"
} >answers.txt
