package overhead

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// idling are instances that stand until they are ended together.
type idling []*instance

// more starts one more and waits until it is there.
func (all *idling) more(ctx context.Context, c Contender, args ...string) error {
	i, err := c.start(ctx, args...)
	if err != nil {
		return err
	}
	*all = append(*all, i)
	_, err = i.first()
	return err
}

func (all *idling) end(err *error) {
	for _, i := range *all {
		*err = errors.Join(*err, i.end())
	}
}

// showMemory starts three of each and says what each added.
func showMemory(ctx context.Context, b *bench, w io.Writer, _ View) (err error) {
	cast, err := b.cast(ctx, w, baseline, "cutaway", "microVM")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, " MiB of the host's memory that an idle one takes (proportional set size)\n")
	fmt.Fprintf(w, "   %-12s %10s %12s %12s\n", "", "the first", "the second", "the third")
	for _, name := range []string{baseline, "cutaway", "microVM"} {
		c, is := cast[name]
		if !is {
			continue
		}
		var standing idling
		line, before := fmt.Sprintf("   %-12s", name), 0.0
		for n := 0; n < 3 && err == nil; n++ {
			if err = standing.more(ctx, c, idle...); err == nil {
				var sum float64
				sum, err = together(standing)
				line += fmt.Sprintf(" %+*.2f", []int{10, 12, 12}[n], (sum-before)/mebibyte)
				before = sum
			}
		}
		standing.end(&err)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, line)
	}
	_, err = fmt.Fprintln(w, "\n The second process and container share with the first what they only read: the\n program's own pages. Two machines share QEMU's, and nothing of what is in them.")
	return err
}

// kernelFacts says which kernel answers, and since when: uname(2), random(4).
var kernelFacts = []string{"/bin/sh", "-c", "uname -r; cat /proc/sys/kernel/random/boot_id"}

// showKernel asks inside of each which kernel it runs on.
func showKernel(ctx context.Context, b *bench, w io.Writer, _ View) error {
	cast, err := b.cast(ctx, w, baseline, "cutaway", "microVM")
	if err != nil {
		return err
	}
	var host string
	fmt.Fprintf(w, "   %-12s %-28s %s\n", "", "uname -r", "/proc/sys/kernel/random/boot_id")
	for _, who := range []string{baseline, "cutaway", "cutaway", "microVM"} {
		c, is := cast[who]
		if !is {
			continue
		}
		i, err := c.start(ctx, kernelFacts...)
		if err != nil {
			return err
		}
		text, err := i.output()
		if err != nil {
			return err
		}
		facts := strings.Fields(text)
		if len(facts) != 2 {
			return fmt.Errorf("ask %s for its kernel: %q", who, text)
		}
		if host == "" {
			host = facts[1]
		}
		same := "the host's kernel"
		if facts[1] != host {
			same = "another"
		}
		fmt.Fprintf(w, "   %-12s %-28s %s\n   %-41s %s\n", who, cut(facts[0], 28), facts[1], "", same)
	}
	_, err = fmt.Fprintln(w, "\n boot_id is made up when a kernel starts. A container starts no kernel.")
	return err
}

// threadsOf is how many threads the kernel has in all: proc_loadavg(5), the fourth
// field, which no namespace hides.
var threadsOf = []string{"/bin/sh", "-c", "cat /proc/loadavg"}

// crowdSize is how many processes one container makes that another counts.
const crowdSize = 64

// showIsolation has one container make processes, and another and a machine count
// those of their kernels.
func showIsolation(ctx context.Context, b *bench, w io.Writer, _ View) (err error) {
	cast, err := b.cast(ctx, w, "cutaway", "microVM")
	if err != nil {
		return err
	}
	watchers := []string{"cutaway", "microVM"}
	count := map[string][2]int{}
	look := func(n int) error {
		for _, name := range watchers {
			c, is := cast[name]
			if !is {
				continue
			}
			r, err := b.room(ctx, c)
			if err != nil {
				return err
			}
			text, err := r.run(ctx, threadsOf...)
			if err != nil {
				return err
			}
			both := count[name]
			if f := strings.Fields(text); len(f) > 3 {
				_, after, _ := strings.Cut(f[3], "/")
				both[n], err = strconv.Atoi(after)
			}
			count[name] = both
			if err != nil {
				return fmt.Errorf("read /proc/loadavg in %s: %q", name, text)
			}
		}
		return nil
	}
	if err := look(0); err != nil {
		return err
	}
	var standing idling
	defer standing.end(&err)
	fork := []string{"/bin/sh", "-c", fmt.Sprintf("n=0; while [ $n -lt %d ]; do sleep 60 & n=$((n+1)); done; echo here; read end; :", crowdSize)}
	if err := standing.more(ctx, cast["cutaway"], fork...); err != nil {
		return err
	}
	if err := look(1); err != nil {
		return err
	}
	fmt.Fprintf(w, " container A has made %d processes, which do nothing. Who else can tell?\n", crowdSize)
	fmt.Fprintf(w, " threads of the kernel, as /proc/loadavg says inside:\n   %-14s %7s %7s\n", "", "before", "then")
	for _, name := range watchers {
		if n, is := count[name]; is {
			fmt.Fprintf(w, "   %-14s %7d %7d  %s\n", map[string]string{"cutaway": "container B", "microVM": "microVM"}[name], n[0], n[1],
				map[bool]string{true: "sees them: it is the same kernel's list", false: "sees nothing of them"}[n[1]-n[0] >= crowdSize/2])
		}
	}
	fmt.Fprintf(w, "\n and the host, which finds A's processes among its own: %s\n", strings.Join(commands(standing[0].pids(), 6), " "))
	if m, is := cast["microVM"]; is {
		if err := standing.more(ctx, m, idle...); err != nil {
			return err
		}
		fmt.Fprintf(w, " of a program in a microVM it finds only the machine: %s\n", strings.Join(commands(standing[1].pids(), 6), " "))
	}
	_, err = fmt.Fprintln(w, "\n A mistake in that one kernel is a mistake for all containers on it. From a guest\n the next step is QEMU, a process of the host with the rights that it was given.")
	return err
}

// commands are the names of processes: proc_pid_comm(5).
func commands(pids []int, most int) (names []string) {
	for _, pid := range pids {
		if text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm"); err == nil {
			names = append(names, strings.TrimSpace(string(text)))
		}
	}
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("... (%d in all)", len(pids)))
	}
	return slices.Clip(names)
}

// showDisk starts two containers of one image, and has one of them change a file.
func showDisk(ctx context.Context, b *bench, w io.Writer, _ View) (err error) {
	state, err := b.freshState()
	if err != nil {
		return err
	}
	c := b.command(Container, "", true, b.cutawayLine(state, "none", "-u", "0"))
	var standing idling
	defer standing.end(&err)
	const file = "/usr/bin/probe"
	change := []string{"/bin/sh", "-c", "echo here; read go; echo >>" + file + "; echo here; read end; :"}
	last := 0.0
	tell := func(what string) error {
		size, err := onDisk(state)
		fmt.Fprintf(w, "   %-58s %+8.2f\n", what, (size-last)/mebibyte)
		last = size
		return err
	}
	fmt.Fprintln(w, " MiB on the disk, below the lab's state directory")
	if err := standing.more(ctx, c, idle...); err != nil {
		return err
	}
	if err := tell("the image, its layers unpacked, and a first container"); err != nil {
		return err
	}
	if err := standing.more(ctx, c, change...); err != nil {
		return err
	}
	if err := tell("a second container of the same image"); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(standing[1].stdin); err != nil {
		return err
	}
	if _, err := standing[1].out.ReadString('\n'); err != nil {
		return standing[1].failed(err)
	}
	if err := tell("it appends one byte to " + file); err != nil {
		return err
	}
	st, err := os.Stat(b.tree + file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n Both read the same layers. The byte cost the whole file, %.2f MiB: an overlay\n copies a file up when it is first written to, for the container that writes.\n", float64(st.Size())/mebibyte)
	return err
}
