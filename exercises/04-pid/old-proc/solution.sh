for f in /proc/[0-9]*/cmdline; do
	[ "$(tr '\0' ' ' <"$f" 2>/dev/null)" = "sleep {{seconds}} " ] && p=${f%/cmdline}
done
nsenter -t "${p#/proc/}" -m -p mount -t proc proc /proc
