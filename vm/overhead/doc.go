// Package overhead measures what a container costs and what a virtual machine
// does, on the machine at hand: the same programs in a bare process, behind each
// wall alone, in containers of this lab's and of others, and in machines.
//
// Its one invariant: a number that is shown comes from samples that are in the
// result, taken in random order beside those it is compared with, and carries
// their conditions. What could not be measured is named, with the reason.
//
// In the order of a run:
//
//	contender.go  what is compared; instance.go is one that runs; process.go,
//	              runtimes.go, engines.go, microvm.go (with guestnet.go) and
//	              fullvm.go say how each is started
//	measure.go    what is measured: start.go, memory.go, disk.go, cpu.go,
//	              syscall.go, network.go, files.go, density.go, a file each
//	run.go        passes, rounds, and who is next
//	result.go     every sample, and the conditions; conditions.go on the load
//	stats.go      medians, quartiles, intervals; nothing but arithmetic
//	table.go, live.go, page.go, plot.go   how it looks; together.go sets two beside
//	              each other, literature.go one beside what is published
//	demo.go, demo_more.go   short shows for a lecture
package overhead
