unshare --pid --fork --mount --mount-proc sh -c '
	sleep {{seconds}} &
	sh -c "true & exec sleep {{parent}}" &
	wait; wait; wait' </dev/null >/dev/null 2>&1 &
