// Package sandbox builds containers: it compiles a Spec into a Plan, starts
// init, has each step done where it belongs, looks at the kernel before and
// after, tells what changed, and undoes in the end what outlives the processes.
//
// Its one invariant: there is one way to build a container. Stage by stage with
// a person watching or as fast as possible for a command, it is the same Plan
// done by the same code; only who is told differs.
//
// # Reading order
//
// From the smallest piece to the whole:
//
//	op/hostname.go      one operation: a struct, Do, Shell
//	stages/03_uts.go    the stage that is made of it, and
//	stages/buildup      what every stage adds, on one page
//	plan/spec.go        what a container is
//	plan/plan.go        the order in which it comes to be
//	op/namespace.go     clone, unshare
//	op/root.go          chroot and pivot_root
//	pid1/init.go        the process that becomes the payload
//	pid1/wire.go        what it and the host say to each other
//	host.go             the host's side of building
//	container.go        the life of one container
//	watch.go            what a step changed, by package inspect
//	journal.go          what is undone, and clean.go: by whom, after a kill -9
//	event/event.go      what is told of it
//	trace/text.go       how it looks
package sandbox
