package overhead

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// bareProcess is fork, exec and nothing else: what all the others are compared
// with.
func (b *bench) bareProcess(context.Context) (Contender, error) {
	return b.command(Process, "a process of the host, with the same program", true, func(args []string) *exec.Cmd {
		return &exec.Cmd{Path: filepath.Join(b.tree, args[0]), Args: args, Env: bare}
	}), nil
}

// chroot is a process with another root directory: all else is the host's.
func (b *bench) chroot(context.Context) (Contender, error) {
	if !b.root() {
		return Contender{}, errors.New("chroot(2) needs root")
	}
	return b.command(Wall, "another root directory alone", true, func(args []string) *exec.Cmd {
		cmd := &exec.Cmd{Path: args[0], Args: args, Dir: "/", Env: bare}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: b.tree}
		return cmd
	}), nil
}

// namespaces are those that clone(2) makes, by the names of this lab's stages.
var namespaces = []struct {
	name, feature string
	flag          uintptr
}{
	{"mount", "mnt", syscall.CLONE_NEWNS}, {"uts", "uts", syscall.CLONE_NEWUTS}, {"pid", "pid", syscall.CLONE_NEWPID},
	{"ipc", "ipc", syscall.CLONE_NEWIPC}, {"net", "net", syscall.CLONE_NEWNET}, {"user", "user", syscall.CLONE_NEWUSER},
	{"cgroup", "cgroup", syscall.CLONE_NEWCGROUP}, {"time", "time", syscall.CLONE_NEWTIME},
}

// walls are each kind of namespace on its own: one flag of clone(2) more.
func (b *bench) walls() (all []candidate) {
	for _, ns := range namespaces {
		all = append(all, candidate{"ns " + ns.name, func(context.Context) (Contender, error) {
			if !b.root() && ns.name != "user" {
				return Contender{}, errors.New("this kind of namespace alone needs root")
			}
			if err := b.lab.Features.HaveNamespace(ns.feature); err != nil {
				return Contender{}, err
			}
			return b.command(Wall, "a "+ns.name+" namespace alone", true, func(args []string) *exec.Cmd {
				cmd := &exec.Cmd{Path: filepath.Join(b.tree, args[0]), Args: args, Env: bare}
				cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: ns.flag}
				if ns.flag == syscall.CLONE_NEWUSER {
					cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
					cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
				}
				return cmd
			}), nil
		}})
	}
	return all
}

// cutaway is this lab's complete container, as its command line makes it: all
// namespaces, an overlay of the image's layers, a seccomp filter, few
// capabilities.
func (b *bench) cutaway(net string) func(context.Context) (Contender, error) {
	return func(context.Context) (Contender, error) {
		about := "this lab's complete container, --net " + net
		if net == "bridge" {
			if !b.root() {
				return Contender{}, errors.New("a link on the host's bridge needs root")
			}
			if !b.options.InHost {
				return Contender{}, errors.New("a bridge and NAT would change this machine's network: --in host allows that")
			}
		}
		return b.command(Container, about, true, b.cutawayLine(b.lab.Dirs.Data, net)), nil
	}
}

// cutawayLine is the command line for a container with this state directory and
// this network.
func (b *bench) cutawayLine(state, net string, flags ...string) func(args []string) *exec.Cmd {
	return func(args []string) *exec.Cmd {
		line := append([]string{"--state", state, "run", "--in", "host", "--net", net, "-i"}, flags...)
		return exec.Command(b.program, append(append(line, "built-in"), args...)...)
	}
}

// bare is what a program is given that starts without anybody who would choose: a
// variable of ours may name a directory that is not there inside.
var bare = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

// command makes a contender of a command line.
func (b *bench) command(kind Kind, about string, dependent bool, line func(args []string) *exec.Cmd) Contender {
	start := func(ctx context.Context, args ...string) (*instance, error) { return spawn(ctx, line(args), dependent) }
	return Contender{About: about, Kind: kind, start: start, open: anew(start)}
}
