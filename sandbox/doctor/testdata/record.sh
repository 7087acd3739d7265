#!/bin/sh
# Prints what the doctor reads of the machine it runs on, as a txtar archive:
#
#   sh record.sh >NAME.txtar
#
# Links are files that hold where they lead; of long lists only the lines that
# matter are kept.
set -eu
release=$(uname -r)

# file NAME CONTENT
file() { printf -- '-- %s --\n%s\n' "${1#/}" "$2"; }

keep() {
	if [ -r "$1" ]; then file "$1" "$(cat "$1")"; fi
}

# only PATTERN NAME
only() {
	if [ -r "$2" ]; then file "$2" "$(grep -E "$1" "$2")"; fi
}

echo "Linux $release, recorded by record.sh"
for name in /proc/self/mountinfo /proc/1/comm /.dockerenv /run/.containerenv \
	/proc/sys/kernel/osrelease /proc/sys/kernel/unprivileged_userns_clone \
	/proc/sys/kernel/apparmor_restrict_unprivileged_userns /proc/sys/user/max_*_namespaces; do
	keep "$name"
done
only '^CapEff' /proc/self/status
only '^(flags|model name)' /proc/cpuinfo
only ' (ovl_fill_super|veth_newlink|br_dev_newlink|nf_tables_newtable)([[:space:].].*)?$' /proc/kallsyms
for list in modules.dep modules.builtin; do
	only '/(overlay|veth|bridge|nf_tables)\.ko' "/lib/modules/$release/$list"
done
for module in overlay veth bridge nf_tables; do
	if [ -f "/lib/modules/$release/$module.ko" ]; then # that it is there is enough
		file "/lib/modules/$release/$module.ko" ""
	fi
done
while read -r _ _ _ _ dir rest; do
	case $rest in
	*" - cgroup2 "*)
		keep "$dir/cgroup.controllers"
		keep "$dir/cgroup.subtree_control"
		;;
	esac
done </proc/self/mountinfo
for ns in /proc/self/ns/*; do
	file "$ns" "$(readlink "$ns")"
done
if environment=$(tr '\0' '\n' 2>/dev/null </proc/1/environ); then
	file /proc/1/environ "$(echo "$environment" | grep '^container=' || :)"
fi
