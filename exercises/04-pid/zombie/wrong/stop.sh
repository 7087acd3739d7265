# says: its parent is stopped now
nsenter -t {{pid}} --pid --mount sh -c '
	for p in /proc/[0-9]*; do
		[ "$(tr "\0" " " <$p/cmdline)" != "sleep {{parent}} " ] || kill -STOP ${p#/proc/}
	done'
