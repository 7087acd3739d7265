for f in /proc/[0-9]*/cmdline; do
	[ "$(tr '\0' ' ' <"$f" 2>/dev/null)" = "sleep {{seconds}} " ] && p=${f%/cmdline}
done
nsenter -t "${p#/proc/}" -n ip link set lo up
