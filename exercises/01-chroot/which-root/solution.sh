{
	echo "root: $(readlink /proc/{{pid}}/root)"
	echo "inode: $(stat -L -c %i /proc/{{pid}}/root)"
	echo "mnt: $(readlink /proc/{{pid}}/ns/mnt)"
} >answers.txt
