#!/bin/sh
# The one place that knows what a program's package is called.
#
#   vm/packages.sh install GROUP...  install what is missing, and only that
#   vm/packages.sh name GROUP...     print the command that would install a group
#   vm/packages.sh missing GROUP...  list the programs that are not here, by name
#   vm/packages.sh check GROUP...    exit 0 if every program of the groups is here
#   vm/packages.sh manager           name the package manager: apt dnf apk pacman brew
#
# PACKAGES_FOR=MANAGER has it speak of another machine than this one.
#
# Groups: build (make, git and a new enough Go), busybox (a static one), lab
# (what a run itself calls), hand (what a step by hand takes), compare (what the
# last stage looks at beside its own container), test, bench, box (what box.sh
# calls), lima, test-vagrant, test-arm64, vm, kernel (one that the
# lab can boot).
#
# `install` looks for programs, not packages: when all are on PATH it neither
# needs root nor touches the network. Exit status: 0 done, 1 could not, 2 usage,
# 3 this machine cannot (no known package manager, no root, Go too old).
set -eu

# Programs such as ip and runc live where an ordinary user's PATH does not look.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Installing must end: a mirror that hangs would hang the build with it.
LIMIT=900 # seconds

# group, program (or program|alternative, or a file with a / in it), then its
# package for each package manager; - means that distribution does not package
# it. A group with @MACHINE counts only where `uname -m` says so. Homebrew's
# column is there for what is needed on macOS.
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
hand         newuidmap               uidmap           shadow-utils         shadow-subids        shadow
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
test         pasta                   passt            passt                passt                passt
test         newuidmap               uidmap           shadow-utils         shadow-subids        shadow
test         slirp4netns             slirp4netns      slirp4netns          slirp4netns          slirp4netns
bench        bwrap                   bubblewrap       bubblewrap           bubblewrap           bubblewrap
bench        unshare                 util-linux       util-linux           util-linux-misc      util-linux
bench        runc                    runc             runc                 runc                 runc
bench        crun                    crun             crun                 crun                 crun
box          mmdebstrap              mmdebstrap       -                    -                    -
box          syslinux                syslinux         syslinux             syslinux             syslinux
box          mcopy                   mtools           mtools               mtools               mtools
box          mkfs.vfat               dosfstools       dosfstools           dosfstools           dosfstools
box          sfdisk                  fdisk            util-linux           sfdisk               util-linux
box          mke2fs                  e2fsprogs        e2fsprogs            e2fsprogs            e2fsprogs
box          qemu-img                qemu-utils       qemu-img             qemu-img             qemu-img
box          ssh-keygen              openssh-client   openssh              openssh-keygen       openssh
test-vagrant vagrant                 vagrant          vagrant              -                    -
test-vagrant /usr/share/vagrant*/plugins.d/*libvirt.json vagrant-libvirt vagrant-libvirt - -
test-vagrant libvirtd                libvirt-daemon-system libvirt-daemon-kvm libvirt-daemon     libvirt
test-vagrant virsh                   libvirt-clients  libvirt-client       libvirt-client       libvirt
test-vagrant dnsmasq                 dnsmasq-base     dnsmasq              dnsmasq              dnsmasq
test-vagrant iptables                iptables         iptables-nft         iptables             iptables
test-vagrant nft                     nftables         nftables             nftables             nftables
test-vagrant rsync                   rsync            rsync                rsync                rsync
test-vagrant ssh                     openssh-client   openssh-clients      openssh-client-default openssh
lima         limactl                 -                -                    -                    -                    lima
vm@x86_64    qemu-system-x86_64      qemu-system-x86  qemu-system-x86-core qemu-system-x86_64   qemu-system-x86
vm@aarch64   qemu-system-aarch64     qemu-system-arm  qemu-system-aarch64-core qemu-system-aarch64 qemu-system-aarch64
test-arm64   qemu-system-aarch64     qemu-system-arm  qemu-system-aarch64-core qemu-system-aarch64 qemu-system-aarch64
kernel@x86_64 /boot/vmlinuz-*|/lib/modules/*/vmlinuz linux-image-virtual|linux-image-cloud-amd64 kernel-core linux-virt linux
kernel@aarch64 /boot/vmlinuz-*|/lib/modules/*/vmlinuz linux-image-virtual|linux-image-cloud-arm64 kernel-core linux-virt linux
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

# have NAME looks for a program on PATH; a pattern of a path is a file.
have() {
	case $1 in
	/*) for file in $1; do [ ! -e "$file" ] || return 0; done && return 1 ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# manager names the package manager, which is also the table's column.
manager() {
	if [ -n "${PACKAGES_FOR-}" ]; then
		echo "$PACKAGES_FOR"
		return
	fi
	for m in apt-get dnf apk pacman brew; do
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
	brew) column=7 ;;
	*) column=0 ;;
	esac
	table | awk -v group="$1" -v here="$1@$machine" -v column=$column '
		$1 == group || $1 == here { print $2, (column && column <= NF ? $column : "-") }'
}

# known GROUP fails for a name that is in no row: a typing error must not pass
# for a group with nothing missing.
known() {
	[ -n "$(rows "$1")" ] || die 2 "no group $1 on $(uname -m)" \
		"groups: build busybox lab hand compare test bench box lima test-vagrant test-arm64 vm kernel"
}

# lacking GROUP... prints the rows whose program is not on PATH.
lacking() {
	for group; do
		rows "$group" | while read -r program package; do
			have "${program%|*}" || have "${program#*|}" || echo "$program $package"
		done
	done | sort -u
}

# packages reads rows and prints their packages on one line, each once. Of a|b it
# is a where the package lists have that: Ubuntu's kernels are not Debian's.
packages() {
	awk '$2 != "-" { print $2 }' | sort -u | while read -r package; do
		case $package in
		*"|"*)
			if apt-cache show "${package%|*}" >/dev/null 2>&1; then
				package=${package%|*}
			fi
			;;
		esac
		echo "${package#*|}"
	done | tr '\n' ' ' | sed 's/ $//'
}

# installer prints the command that installs; $1 is its flags for "ask nothing".
installer() {
	case $(manager) in
	apt) echo "apt-get install ${1:+-qq }-y --no-install-recommends" ;;
	dnf) echo "dnf install ${1:+-q }-y --setopt=install_weak_deps=False" ;;
	apk) echo "apk add${1:+ -q}" ;;
	pacman) echo "pacman -S ${1:+-q }--needed --noconfirm" ;;
	brew) echo "brew install${1:+ -q}" ;;
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

# sudo_for prints the word that goes before the package manager: Homebrew is its
# user's own and refuses root.
sudo_for() { [ "$(manager)" = brew ] || echo "sudo "; }

# privileged runs a command as root. sudo asks for its password on the terminal,
# never on standard input; without a terminal it fails at once.
privileged() {
	if [ "$(id -u)" = 0 ] || [ "$(manager)" = brew ]; then
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
	if have timeout; then # macOS has none
		set -- timeout "$LIMIT" "$@"
	fi
	privileged env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 || status=$?
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
	[ "$(id -u)" = 0 ] || [ -z "$(sudo_for)" ] || have sudo || die 3 "needs root to install: $wanted" \
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
		die 3 "no apt-get, dnf, apk, pacman or brew here" \
			"needed: $(for group; do rows "$group"; done | cut -d' ' -f1 | tr '\n' ' ')"
	fi
	[ -n "$wanted" ] || die 3 "not packaged for $(manager)" \
		"needed: $(for group; do rows "$group"; done | cut -d' ' -f1 | tr '\n' ' ')"
	echo "$(sudo_for)$(installer) $wanted"
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
[ $# -ge 2 ] || [ "$verb" = manager ] || verb=usage
case $verb in
manager) manager ;;
install | name | missing | check)
	shift
	"$verb" "$@"
	;;
*) die 2 "usage: packages.sh install|name|missing|check GROUP... or manager" "groups: build busybox lab hand compare test bench box lima test-vagrant test-arm64 vm kernel" ;;
esac
