# says: of the machine's PID namespace
for f in /proc/[0-9]*/cmdline; do
	[ "$(tr '\0' ' ' <"$f" 2>/dev/null)" = "sleep {{seconds}} " ] && p=${f%/cmdline}
done
nsenter -t "${p#/proc/}" -m mount -t proc proc /proc
