# says: no signal reaches it
nsenter -t {{pid}} --pid --mount sh -c '
	for p in /proc/[0-9]*; do
		! grep -q "^State:.Z" $p/status || kill -KILL ${p#/proc/}
	done'
