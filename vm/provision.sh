#!/bin/sh
# Makes the virtual machine it runs in a lab machine: one that may be broken.
#
#   provision.sh vagrant|lima     as root, inside that machine
#
# Both the Vagrantfile and lima.yaml call it, and people at will: it says what it
# changes, and a second run changes nothing. ../bin/cutaway is copied into the
# PATH; packages.sh beside it says what else is needed and installs it.
#
# Exit status: 0 done, 1 could not, 2 usage, 3 this machine cannot.
set -eu

PATH=$PATH:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
program=$here/../bin/cutaway
marker=/etc/cutaway-machine # what cutaway looks for before it trusts a machine

say() { echo "provision: $*" >&2; }

# die STATUS FACT HINT...
die() {
	status=$1
	say "$2"
	shift 2
	for line; do echo "hint: $line" >&2; done
	exit "$status"
}

# put MODE FILE makes what it reads the content of FILE, unless it is already.
# Then not even FILE's directory is touched.
put() {
	cat >"$work/new"
	if cmp -s "$work/new" "$2"; then
		return
	fi
	cp "$work/new" "$2.new" # whole or not at all
	chmod "$1" "$2.new"
	mv "$2.new" "$2"
	say "wrote $2"
}

# boot_argument names the command that adds an argument to the kernel's command
# line, by how this machine boots.
boot_argument() {
	if command -v grubby >/dev/null; then
		echo "sudo grubby --update-kernel=ALL --args=$1 && sudo reboot"
	elif command -v update-grub >/dev/null; then
		echo "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&$1 /' /etc/default/grub && sudo update-grub && sudo reboot"
	else
		echo "add $1 to the kernel's command line in the boot loader, and reboot"
	fi
}

# unified asserts that control groups are as the lessons show them: one
# hierarchy, of version 2, at the usual place.
unified() {
	type=$(awk '$2 == "/sys/fs/cgroup" { type = $3 } END { print type }' /proc/self/mounts)
	[ "$type" != cgroup2 ] || return 0
	fact="control groups: ${type:-nothing} is mounted at /sys/fs/cgroup, not cgroup2: the lessons are about version 2"
	if [ -d /run/systemd/system ]; then
		die 3 "$fact" "$(boot_argument systemd.unified_cgroup_hierarchy=1)"
	elif [ -f /etc/rc.conf ]; then
		die 3 "$fact" "echo 'rc_cgroup_mode=\"unified\"' | sudo tee -a /etc/rc.conf && sudo rc-update add cgroups && sudo reboot"
	fi
	die 3 "$fact" "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup"
}

# binary puts cutaway where everybody finds it, sudo included.
binary() {
	[ -f "$program" ] || die 1 "there is no bin/cutaway to copy into this machine" \
		"on your own: make build; then vagrant rsync and vagrant provision, or with Lima limactl restart cutaway"
	# A checkout on Windows has lost the mode; a shared folder may be read-only.
	[ -x "$program" ] || chmod +x "$program" || :
	"$program" --help >/dev/null 2>&1 || die 1 "bin/cutaway does not run on this machine, $(uname -s) $(uname -m)" \
		"it is built on your own: make build GOARCH=arm64, or GOARCH=amd64"
	put 755 /usr/local/bin/cutaway <"$program"
}

# image sees to a static busybox for a cutaway that was built where there was
# none to put into its built-in image.
image() {
	if cutaway doctor --format json | grep -q '"check":"built-in image","level":"broken"'; then
		sh "$here/packages.sh" install busybox
	fi
}

# greeting prints what a person reads who logs in at a terminal.
greeting() {
	case $1 in
	vagrant) end="vagrant destroy    " ;;
	lima) end="limactl delete -f cutaway" ;;
	esac
	cat <<GREETING
# Greets whoever logs in; written by vm/provision.sh of cutaway.
case \$- in
*i*)
	cat <<'TEXT'

 This machine is for breaking: whatever happens in it, yours is not touched.

   cutaway             where you are in the course, and what is next
   sudo cutaway tour   all stages in a row; the stages need root, hence sudo
   $end on your own machine: gone without a trace

TEXT
	;;
esac
GREETING
}

case ${1-} in
vagrant | lima) ;;
*) die 2 "usage: provision.sh vagrant|lima" \
	"it marks the machine it runs in as disposable: never on your own" ;;
esac
[ "$(id -u)" = 0 ] || die 3 "needs root" "sudo sh $0 $1"
unified
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh "$here/packages.sh" install lab hand compare
binary
image
cutaway doctor >"$work/doctor" || {
	cat "$work/doctor" >&2
	die 3 "cutaway cannot run here" "the fixes are above"
}
echo "a $1 machine, made for cutaway by vm/provision.sh" | put 644 "$marker"
greeting "$1" | put 644 /etc/profile.d/cutaway.sh
