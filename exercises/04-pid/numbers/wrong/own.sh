# says: that is the one of your shell
{
	echo "machine: {{pid}}"
	echo "all: $(sed -n "s/^NSpid:[[:space:]]*//p" /proc/{{pid}}/status | tr "\t" " ")"
	echo "namespace: $(readlink /proc/self/ns/pid)"
} >answers.txt
