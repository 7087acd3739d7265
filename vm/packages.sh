#!/bin/sh
# The one place that knows what a program's package is called.
#
#   vm/packages.sh install GROUP...  install what is missing, and only that
#   vm/packages.sh name GROUP...     print the command that would install a group
#   vm/packages.sh missing GROUP...  list the programs that are not here, by name
#   vm/packages.sh check GROUP...    exit 0 if every program of the groups is here
#
# Groups: build (make, git and a new enough Go), busybox (a static one), lab
# (what a run itself calls), compare (what the last stage looks at beside its own
# container), test, bench, vm.
#
# `install` looks for programs, not packages: when all are on PATH it neither
# needs root nor touches the network. Exit status: 0 done, 1 could not, 2 usage,
# 3 this machine cannot (no known package manager, no root, Go too old).
set -eu

# Programs such as ip and runc live where an ordinary user's PATH does not look.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Installing must end: a mirror that hangs would hang the build with it.
LIMIT=900 # seconds

# group, program (or program|alternative), then its package for each package
# manager; - means that distribution does not package it. A group with @MACHINE
# counts only where `uname -m` says so.
table() {
	cat <<'ROWS'
# group      program                 apt              dnf                  apk                  pacman
build        make                    make             make                 make                 make
build        git                     git              git                  git                  git
busybox      busybox|busybox.static  busybox-static   busybox              busybox-static       busybox
lab          modprobe                kmod             kmod                 kmod                 kmod
hand         ip                      iproute2         iproute              iproute2             iproute2
hand         nft                     nftables         nftables             nftables             nftables
hand         nsenter                 util-linux       util-linux           util-linux-misc      util-linux
hand         prlimit                 util-linux       util-linux           util-linux-misc      util-linux
hand         setpriv                 util-linux       util-linux           setpriv              util-linux
hand         sysctl                  procps           procps-ng            procps-ng            procps-ng
compare      runc                    runc             runc                 runc                 runc
test         strace                  strace           strace               strace               strace
test         runc                    runc             runc                 runc                 runc
test         crun                    crun             crun                 crun                 crun
test         umoci                   umoci            -                    umoci                -
test         skopeo                  skopeo           skopeo               skopeo               skopeo
test         bwrap                   bubblewrap       bubblewrap           bubblewrap           bubblewrap
test         ip                      iproute2         iproute              iproute2             iproute2
test         nft                     nftables         nftables             nftables             nftables
test         unshare                 util-linux       util-linux           util-linux-misc      util-linux
test         setpriv                 util-linux       util-linux           setpriv              util-linux
test         ps                      procps           procps-ng            procps-ng            procps-ng
test         setfattr                attr             attr                 attr                 attr
test         setcap                  libcap2-bin      libcap               libcap-setcap        libcap
test         chromium|chromium-browser chromium       chromium             chromium             chromium
bench        bwrap                   bubblewrap       bubblewrap           bubblewrap           bubblewrap
bench        unshare                 util-linux       util-linux           util-linux-misc      util-linux
bench        runc                    runc             runc                 runc                 runc
bench        crun                    crun             crun                 crun                 crun
box          mmdebstrap              mmdebstrap       -                    mmdebstrap           -
box          syslinux                syslinux         syslinux             syslinux             syslinux
box          mcopy                   mtools           mtools               mtools               mtools
box          mkfs.vfat               dosfstools       dosfstools           dosfstools           dosfstools
box          sfdisk                  fdisk            util-linux           sfdisk               util-linux
box          mke2fs                  e2fsprogs        e2fsprogs            e2fsprogs            e2fsprogs
box          qemu-img                qemu-utils       qemu-img             qemu-img             qemu-img
box          ssh-keygen              openssh-client   openssh              openssh-keygen       openssh
vm@x86_64    qemu-system-x86_64      qemu-system-x86  qemu-system-x86-core qemu-system-x86_64   qemu-system-x86
vm@aarch64   qemu-system-aarch64     qemu-system-arm  qemu-system-aarch64-core qemu-system-aarch64 qemu-system-aarch64
ROWS
}

say() { echo "packages: $*" >&2; }

die() {
	status=$1
	shift
	say "$1"
	shift
	for line; do echo "hint: $line" >&2; done
	exit "$status"
}

have() { command -v "$1" >/dev/null 2>&1; }

# manager names the package manager, which is also the table's column.
manager() {
	for m in apt-get dnf apk pacman; do
		if have "$m"; then
			echo "${m%-get}"
			return
		fi
	done
	echo none
}

# rows GROUP prints "PROGRAM PACKAGE" for each program of the group.
rows() {
	machine=$(uname -m)
	case $(manager) in
	apt) column=3 ;;
	dnf) column=4 ;;
	apk) column=5 ;;
	pacman) column=6 ;;
	*) column=0 ;;
	esac
	table | awk -v group="$1" -v here="$1@$machine" -v column=$column '
		$1 == group || $1 == here { print $2, (column ? $column : "-") }'
}

# known GROUP fails for a name that is in no row: a typing error must not pass
# for a group with nothing missing.
known() {
	[ -n "$(rows "$1")" ] || die 2 "no group $1 on $(uname -m)" \
		"groups: build busybox lab compare test bench vm"
}

# lacking GROUP... prints the rows whose program is not on PATH.
lacking() {
	for group; do
		rows "$group" | while read -r program package; do
			have "${program%|*}" || have "${program#*|}" || echo "$program $package"
		done
	done | sort -u
}

# packages reads rows and prints their packages on one line, each once.
packages() { awk '$2 != "-" { print $2 }' | sort -u | tr '\n' ' ' | sed 's/ $//'; }

# installer prints the command that installs; $1 is its flags for "ask nothing".
installer() {
	case $(manager) in
	apt) echo "apt-get install ${1:+-qq }-y --no-install-recommends" ;;
	dnf) echo "dnf install ${1:+-q }-y --setopt=install_weak_deps=False" ;;
	apk) echo "apk add ${1:+-q }" ;;
	pacman) echo "pacman -S ${1:+-q }--needed --noconfirm" ;;
	esac
}

# newer_or_equal A B compares versions such as 1.26.8, part by part: sort -V is
# not in every busybox.
newer_or_equal() {
	awk -v a="$1" -v b="$2" 'BEGIN {
		split(a, x, "."); split(b, y, ".")
		for (i = 1; i <= 3; i++) if (x[i] + 0 != y[i] + 0) exit !(x[i] + 0 > y[i] + 0)
	}'
}

# go_is_new_enough compares the installed Go with go.mod's go line. From 1.21 on
# an older Go fetches the release go.mod asks for, unless GOTOOLCHAIN=local.
# No package is named for it: the stable distributions carry older releases.
go_is_new_enough() {
	case $0 in # read from standard input, the script has no go.mod beside it
	*/packages.sh) want=$(awk '$1 == "go" { print $2 }' "${0%/*}/../go.mod") ;;
	*) want= ;;
	esac
	have go || die 3 "go: not on PATH: this project needs Go ${want:-1.26} or newer" \
		"https://go.dev/doc/install"
	[ -n "$want" ] || return 0
	got=$(GOTOOLCHAIN=local go env GOVERSION)
	got=${got#go}
	newer_or_equal "$got" "$want" && return 0
	if newer_or_equal "$got" 1.21 && [ "$(go env GOTOOLCHAIN)" != local ]; then
		return 0
	fi
	die 3 "go: $(command -v go) is $got: this project needs Go $want or newer" \
		"https://go.dev/doc/install"
}

# privileged runs a command as root. sudo asks for its password on the terminal,
# never on standard input; without a terminal it fails at once.
privileged() {
	if [ "$(id -u)" = 0 ]; then
		"$@" </dev/null
	else
		sudo "$@" </dev/null
	fi
}

# bounded runs a package command quietly, for LIMIT seconds at most, and shows
# what it printed only if it fails.
bounded() {
	log=$(mktemp)
	status=0
	privileged env DEBIAN_FRONTEND=noninteractive timeout "$LIMIT" "$@" >"$log" 2>&1 || status=$?
	if [ "$status" != 0 ]; then
		tail -n 20 "$log" >&2
		[ "$status" != 124 ] || say "$1: still running after $LIMIT s"
	fi
	rm -f "$log"
	return "$status"
}

install() {
	for group; do
		known "$group"
		[ "$group" != build ] || go_is_new_enough
	done
	absent=$(lacking "$@")
	[ -n "$absent" ] || return 0
	echo "$absent" | awk '$2 == "-" { print $1 }' | while read -r program; do
		say "$program: not packaged for $(manager): install it by hand"
	done
	wanted=$(echo "$absent" | packages)
	[ -n "$wanted" ] || return 0
	[ "$(id -u)" = 0 ] || have sudo || die 3 "needs root to install: $wanted" \
		"as root: $(installer) $wanted"
	say "installing $wanted"
	if [ "$(manager)" = apt ]; then
		# A fresh machine has no package lists, an old one stale ones.
		bounded apt-get update -qq || die 1 "apt-get update: exit status $?"
		set -- -o DPkg::Lock::Timeout=120
	else
		set --
	fi
	# shellcheck disable=SC2046,SC2086 # both are lists of words
	bounded $(installer quiet) "$@" $wanted ||
		die 1 "installing $wanted: exit status $?"
}

# name prints the command for the whole groups, whatever is already here.
name() {
	for group; do known "$group"; done
	wanted=$(for group; do rows "$group"; done | packages)
	if [ "$(manager)" = none ]; then
		die 3 "no apt-get, dnf, apk or pacman here" \
			"needed: $(for group; do rows "$group"; done | cut -d' ' -f1 | tr '\n' ' ')"
	fi
	echo "sudo $(installer) $wanted"
}

# missing prints the programs on one line.
missing() {
	for group; do known "$group"; done
	lacking "$@" | cut -d' ' -f1 | tr '\n' ' ' | sed 's/ $//'
}

check() {
	for group; do
		known "$group"
		[ "$group" != build ] || go_is_new_enough
	done
	absent=$(missing "$@")
	[ -z "$absent" ] || die 1 "not on PATH: $absent" "$(name "$@")"
}

verb=${1-}
[ $# -ge 2 ] || verb=usage
case $verb in
install | name | missing | check)
	shift
	"$verb" "$@"
	;;
*) die 2 "usage: packages.sh install|name|missing|check GROUP..." "groups: build busybox lab compare test bench vm" ;;
esac
