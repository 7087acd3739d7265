unshare --pid --fork sh -c 'true; true; unshare --pid --fork sh -c "
	for n in $(seq {{before}} | tr "\n" " "); do sh -c :; done
	sleep {{seconds}} &
	wait"; true' </dev/null >/dev/null 2>&1 &
