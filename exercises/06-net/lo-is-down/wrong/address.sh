# says: an address is not enough
for f in /proc/[0-9]*/cmdline; do
	[ "$(tr '\0' ' ' <"$f" 2>/dev/null)" = "sleep {{seconds}} " ] && p=${f%/cmdline}
done
nsenter -t "${p#/proc/}" -n ip addr add 127.0.0.1/8 dev lo
