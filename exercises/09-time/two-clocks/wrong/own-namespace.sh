# says: that is the namespace of your shell
{
	sed -n 's/^\([a-z]*\)  *\([0-9]*\) .*/\1: \2/p' /proc/{{pid}}/timens_offsets
	echo "namespace: $(readlink /proc/self/ns/time)"
} >answers.txt
