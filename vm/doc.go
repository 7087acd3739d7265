// Package vm makes the disposable machine that the lab runs in: QEMU's microvm
// with a distribution's kernel, this very program as PID 1, and one port over
// which commands go in and their output comes out.
//
// Its one invariant: nothing of a machine outlives whoever holds it. QEMU is
// killed with the process that started it, the guest powers off when its port
// closes, and what a machine needs on disk has no name or is in the user's cache.
//
// In the order of a boot:
//
//	kernel.go     a kernel of the host's, or kernel_deb.go: one of Debian's
//	modules.go    the modules it needs, in order, from their own .modinfo
//	initramfs.go  everything in one archive (cpio.go), kept by its content
//	vmlinux.go    the kernel unpacked here, because emulated it takes long
//	accel.go      under KVM if a guest comes up there, else emulated
//	qemu.go       the command line, and who dies with whom
//	guest/        the other side: boot.go, root.go, serve.go, session.go
//	wire/         what the two say to each other
//	link.go       commands in a guest; terminal.go, files.go, share.go
//	run.go        a machine for one command
//	keeper.go     a machine that stays, for many; up.go finds it
//
// packages.go is about the machine below: what programs are called there. The
// tests of vm/kernels run the project's own on the kernels it supports.
package vm
