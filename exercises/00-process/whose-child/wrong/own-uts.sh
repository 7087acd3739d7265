# says: the namespace is that of the process, not of your shell
for f in /proc/[0-9]*/cmdline; do
	[ "$(tr '\0' ' ' <"$f" 2>/dev/null)" = "sleep {{seconds}} " ] && p=${f%/cmdline}
done
{ echo "parent: $(sed -n 's/^PPid:[[:space:]]*//p' "$p/status")"; echo "uts: $(readlink /proc/self/ns/uts)"; } >answers.txt
