# says: that is the offset of the other clock
sed -n 's/^monotonic  *\([0-9]*\) .*/boottime: \1/p' /proc/{{pid}}/timens_offsets >answers.txt
