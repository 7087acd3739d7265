# says: root is not stopped by modes
number=1:{{minor}}
for f in null zero full random urandom; do
	[ "$(stat -c %t:%T /dev/$f)" != "$number" ] || printf 'number: %s\nsame: /dev/%s\nopens: perhaps\n' $number $f >answers.txt
done
