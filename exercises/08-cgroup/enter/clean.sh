# Whoever is still in the groups goes back to the top; the dead take a moment.
for group in $(find /sys/fs/cgroup -depth -type d -path '*/ex{{seconds}}*' 2>/dev/null); do
	top=${group%%/ex{{seconds}}*}
	for n in 1 2 3 4 5 6 7 8 9 10; do
		while read -r p; do echo "$p" >"$top/cgroup.procs" || true; done <"$group/cgroup.procs"
		if rmdir "$group" 2>/dev/null; then break; fi
		sleep 0.1
	done
done
