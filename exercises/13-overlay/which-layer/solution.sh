at="nsenter -t {{pid}} -m"
{
	echo "layer: $(sed -n 's/.*lowerdir+*=\([^:,]*\).*/\1/p' /proc/{{pid}}/mountinfo | head -n 1)"
	echo "deleted: $($at find /mnt/upper -type c | wc -l)"
	echo "cost: $($at stat -c %s /mnt/upper/big)"
} >answers.txt
