# says: that is its working directory
{
	echo "root: $(readlink /proc/{{pid}}/cwd)"
	echo "inode: $(stat -L -c %i /proc/{{pid}}/cwd)"
	echo "mnt: $(readlink /proc/{{pid}}/ns/mnt)"
} >answers.txt
