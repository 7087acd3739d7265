{
	sed -n 's/^\([a-z]*\)  *\([0-9]*\) .*/\1: \2/p' /proc/{{pid}}/timens_offsets
	echo "namespace: $(readlink /proc/{{pid}}/ns/time)"
} >answers.txt
