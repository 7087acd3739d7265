at="nsenter -t {{pid}} -m"
number=$($at stat -c %t:%T /mnt/{{disk}}{{seconds}})
{
	echo "number: $number"
	for f in null zero full random urandom; do
		[ "$(stat -c %t:%T /dev/$f)" != "$number" ] || echo "same: /dev/$f"
	done
	if $at head -c 1 /mnt/{{disk}}{{seconds}} >/dev/null 2>&1; then echo "opens: yes"; else echo "opens: no"; fi
} >answers.txt
