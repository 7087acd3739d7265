# says: the name / means another directory to you
{
	echo "root: $(readlink /proc/{{pid}}/root)"
	echo "inode: $(stat -c %i /)"
	echo "mnt: $(readlink /proc/{{pid}}/ns/mnt)"
} >answers.txt
