#!/bin/sh
# Builds a Vagrant box out of Debian's archive, for libvirt, and needs nobody's
# registry for it.
#
#   box.sh [FILE]      as root; FILE is bin/debian-13.box unless given
#
# Then, in the project:
#
#   CUTAWAY_BOX=cutaway/debian-13 CUTAWAY_BOX_URL=file://FILE vagrant up
#
# From the environment: RELEASE, trixie unless given; MIRROR, unless given the
# one this machine's apt uses, else deb.debian.org.
#
# Nothing is mounted here and no loop device is used: partitions are written into
# a file at their place. The first holds the kernel, in a FAT that syslinux boots
# from, the second everything else. Who logs in is the user vagrant, with a key
# made for this one box, which lies in it.
#
# Exit status: 0 done, 1 could not, 3 this machine cannot.
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
out=${1-$here/../bin/debian-13.box}
release=${RELEASE-trixie}

# Where things are on the disk, in MiB.
boot_at=1
boot_size=128
root_at=$((boot_at + boot_size))
disk_size=8192

say() { echo "box: $*" >&2; }

die() {
	status=$1
	say "$2"
	shift 2
	for line; do echo "hint: $line" >&2; done
	exit "$status"
}

# mirror prints where Debian's packages come from on this machine.
mirror() {
	# shellcheck disable=SC2016 # apt expands them
	apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' |
		grep -v security | head -n 1 || :
}

# system makes the root filesystem in the directory root.
system() {
	mmdebstrap --quiet --mode=root --variant=minbase \
		--include=systemd-sysv,systemd-resolved,libpam-systemd,dbus,udev,kmod \
		--include=openssh-server,sudo,rsync,ca-certificates,procps,less,nano \
		--include=iproute2,netbase,initramfs-tools,linux-image-cloud-amd64 \
		--customize-hook='chroot "$1" systemctl enable systemd-networkd ssh' \
		--customize-hook='chroot "$1" systemctl mask systemd-networkd-wait-online apt-daily.timer apt-daily-upgrade.timer' \
		"$release" root "${MIRROR:-$(mirror)}"
}

# settle makes it a machine that comes up, takes an address and lets Vagrant in:
# https://developer.hashicorp.com/vagrant/docs/boxes/base
settle() {
	echo debian >root/etc/hostname
	cat >root/etc/fstab <<-'TABLE'
		LABEL=root / ext4 errors=remount-ro 0 1
		LABEL=BOOT /boot/syslinux vfat noauto 0 0
	TABLE
	cat >root/etc/systemd/network/80-ethernet.network <<-'NETWORK'
		[Match]
		Type=ether
		Kind=!*
		[Network]
		DHCP=yes
	NETWORK
	ln -sf ../run/systemd/resolve/stub-resolv.conf root/etc/resolv.conf
	: >root/etc/machine-id # made anew by each machine

	chroot root useradd --create-home --shell /bin/bash vagrant
	echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >root/etc/sudoers.d/vagrant
	ssh-keygen -q -t ed25519 -N '' -C 'a box of cutaway' -f key
	mkdir -m 700 root/home/vagrant/.ssh
	cp key.pub root/home/vagrant/.ssh/authorized_keys
	chroot root chown -R vagrant: /home/vagrant/.ssh
	echo 'UseDNS no' >root/etc/ssh/sshd_config.d/vagrant.conf
}

# disk writes the two partitions, each at its place in one file.
disk() {
	truncate -s ${disk_size}M disk
	printf '%sMiB,%sMiB,c,*\n%sMiB,,L\n' $boot_at $boot_size $root_at | sfdisk --quiet disk
	dd if="$mbr" of=disk conv=notrunc bs=440 count=1 status=none

	mkfs.vfat -F 16 -n BOOT --offset $((boot_at * 2048)) disk $((boot_size * 1024))
	cat >syslinux.cfg <<-'CONFIG'
		DEFAULT linux
		LABEL linux
		  LINUX /vmlinuz
		  INITRD /initrd.img
		  APPEND root=LABEL=root ro console=tty0 console=ttyS0,115200 quiet
	CONFIG
	mcopy -i "disk@@${boot_at}M" syslinux.cfg ::
	mcopy -i "disk@@${boot_at}M" root/boot/vmlinuz-* ::vmlinuz
	mcopy -i "disk@@${boot_at}M" root/boot/initrd.img-* ::initrd.img
	syslinux --install --offset $((boot_at << 20)) disk

	mke2fs -q -t ext4 -L root -d root -E "offset=$((root_at << 20))" disk $((disk_size - root_at))M
}

# box packs the disk with what Vagrant and its libvirt provider want to know:
# https://vagrant-libvirt.github.io/vagrant-libvirt/boxes.html
box() {
	qemu-img convert -O qcow2 disk box.img
	echo "{\"provider\": \"libvirt\", \"format\": \"qcow2\", \"virtual_size\": $((disk_size / 1024))}" >metadata.json
	cat >Vagrantfile <<-'RUBY'
		Vagrant.configure("2") do |config|
		  config.ssh.private_key_path = File.join(__dir__, "key")
		end
	RUBY
	tar -c metadata.json Vagrantfile key box.img | gzip -1 >box
	mkdir -p "$(dirname "$out")"
	mv box "$out"
}

# finish STATUS removes what was made on the way; if that did not lead to the
# end, it shows what was said last.
finish() {
	[ "$1" = 0 ] || {
		tail -n 20 "$work/log" >&2
		say "exit status $1 from: $step"
	}
	rm -rf "$work"
}

[ "$(uname -m)" = x86_64 ] || die 3 "builds boxes for amd64 on amd64, and this is $(uname -m)" "Lima needs no box: docs/machines.md"
[ "$(id -u)" = 0 ] || die 3 "needs root, for the files that are to be root's" "sudo $0 $*"
sh "$here/packages.sh" check box
for mbr in /usr/lib/syslinux/mbr/mbr.bin /usr/lib/syslinux/bios/mbr.bin /usr/share/syslinux/mbr.bin none; do
	[ ! -f "$mbr" ] || break
done
[ "$mbr" != none ] || die 3 "syslinux is here, but not its mbr.bin"
work=$(mktemp -d "${TMPDIR:-/var/tmp}/cutaway-box.XXXXXX")
trap 'exit 1' INT TERM HUP
trap 'finish $?' EXIT
case $out in
/*) ;;
*) out=$PWD/$out ;;
esac
cd "$work"
for step in system settle disk box; do
	say "$step"
	$step >>log 2>&1
done
say "$out: Debian $release, $(du -m "$out" | cut -f1) MiB"
