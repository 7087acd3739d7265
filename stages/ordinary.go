package stages

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/op"
	"cutaway/stages/buildup"
)

// ordinary is the user who starts the lab without root: nobody, who exists on
// every machine.
const ordinary = 65534

// noOrdinary is why no ordinary user's container can be made here, "" if it can.
func (l *Look) noOrdinary() string {
	why := forbidden()
	if err := l.Lab.Features.HaveOverlayInUserNS(); why == "" && err != nil {
		why = err.Error() // its root is made of the image's layers
	}
	return why
}

// lookOrdinary makes a container without any root: this program is started once
// more by somebody who never was root, and its container is looked at from here.
func lookOrdinary(ctx context.Context, l *Look) {
	if why := l.noOrdinary(); why != "" {
		l.Note("not shown: the same by an ordinary user, because %s", why)
		return
	}
	l.Note("the same with no root at all: user %d starts cutaway, and maps the one id that is theirs", ordinary)
	p, err := startOrdinary(ctx, l)
	if err != nil {
		l.failed("start cutaway as an ordinary user", err)
		return
	}
	out, err := p.run("id -u; cat /proc/self/uid_map")
	l.Outside("cutaway run --net none -u 0 built-in sh -c 'id -u; cat /proc/self/uid_map'", "root inside",
		func() (string, error) { return out.Text, err },
		func(text string) bool {
			return slices.Equal(strings.Fields(text), []string{"0", "0", fmt.Sprint(ordinary), "1"})
		})
	pid, err := p.payload(ctx)
	status := fmt.Sprintf("/proc/%d/status", pid)
	l.Outside("grep Uid "+status, "nobody outside, and nobody else helped",
		func() (string, error) {
			text, readErr := readLine(status, "Uid:")()
			return text, errors.Join(err, readErr)
		},
		func(text string) bool { return text == allFour("Uid:", ordinary) })
	p.lookHelpless(l)
	p.lookOneID(l, pid)
	if err := p.end(); err != nil {
		l.failed("end it", err)
	}
}

// lookHelpless shows that nobody with privileges has had a part in it.
func (p *ordinaryRun) lookHelpless(l *Look) {
	pid := p.cmd.Process.Pid
	l.Outside(fmt.Sprintf("stat -Lc %%A /proc/%d/exe; grep CapEff /proc/%[1]d/status", pid), "cutaway, which made it: not setuid, and without any capability",
		func() (string, error) {
			program, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
			if err != nil {
				return "", err
			}
			caps, err := readLine(fmt.Sprintf("/proc/%d/status", pid), "CapEff:")()
			return program.Mode().String() + "\n" + caps, err
		},
		func(text string) bool {
			mode, caps, _ := strings.Cut(text, "\n")
			return strings.HasPrefix(mode, "-rwx") && caps == "CapEff: 0000000000000000"
		})
}

// lookOneID shows what there is with one id: root, and nobody else.
func (p *ordinaryRun) lookOneID(l *Look, pid int) {
	l.Note("with one id there is one user inside, root; and outside it is the user who began all this")
	p.inside(l, "cd /proc/self; cat gid_map setgroups", "one group likewise; what setgroups has to do with it comes below",
		func(o Out) bool {
			return strings.Join(strings.Fields(o.Text), " ") == fmt.Sprint("0 ", ordinary, " 1 deny")
		})
	p.inside(l, "touch /tmp/mine; stat -c %u /tmp/mine", "a file of root's", says("0"))
	file := fmt.Sprintf("/proc/%d/root/tmp/mine", pid)
	l.Outside("stat -c %u "+file, "and of this user's", func() (string, error) { return ownerOf(file) }, is(fmt.Sprint(ordinary)))
	l.Note("there is nobody else: the next call fails with EINVAL, on purpose")
	p.inside(l, fmt.Sprintf("probe call chown /tmp/mine %d", app), "user 1000 has no number outside", func(o Out) bool { return o.Status == 1 && o.Has("EINVAL") })
}

// inside runs a command in its container and checks what it gives.
func (p *ordinaryRun) inside(l *Look, command, expect string, check func(Out) bool) {
	out, err := p.run(command)
	if err != nil {
		out = Out{Text: err.Error(), Status: -1}
	}
	l.report("inside 2", command, out, expect, err == nil && check(out))
}

// forbidden is why this machine lets no ordinary user make a user namespace, ""
// if it does: user_namespaces(7), and the switches distributions added.
func forbidden() string {
	for _, s := range []struct{ file, value string }{
		{"/proc/sys/user/max_user_namespaces", "0"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"},
	} {
		if b, err := os.ReadFile(s.file); err == nil && strings.TrimSpace(string(b)) == s.value {
			return s.file + " is " + s.value
		}
	}
	return ""
}

// ordinaryRun is a cutaway that an ordinary user runs, with a shell as payload.
type ordinaryRun struct {
	conversation
	cmd       *exec.Cmd
	cancel    context.CancelFunc
	home      string
	complaint strings.Builder // what it said on standard error
}

// startOrdinary starts it and waits until its payload answers. Its files are the
// first container's, and end with it.
func startOrdinary(ctx context.Context, l *Look) (*ordinaryRun, error) {
	p := &ordinaryRun{home: filepath.Join(l.Lab.Dirs.Data, "containers", l.Container.Spec.ID+"-ordinary")}
	if err := l.Container.Extend(op.Dir{Path: p.home, Mode: 0o700, UID: ordinary, GID: ordinary}); err != nil {
		return nil, err
	}
	self, err := os.Open(l.runner.program())
	if err != nil {
		return nil, fmt.Errorf("open this program: %w", err)
	}
	defer self.Close()
	ctx, p.cancel = context.WithCancel(ctx)
	p.kill = p.cancel
	// By descriptor, because the path to the program may be closed to others.
	p.cmd = exec.CommandContext(ctx, "/proc/self/fd/3", "run", "--in", "host", "--state", filepath.Join(p.home, "state"),
		"--net", "none", "--user", "0:0", "--interactive", "built-in", buildup.Shell)
	p.cmd.ExtraFiles = []*os.File{self}
	p.cmd.Env = []string{"HOME=" + p.home, "XDG_RUNTIME_DIR=" + p.home, "PATH=/usr/bin:/bin", l.Container.Mark()}
	p.cmd.Dir = "/"
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
	p.cmd.Cancel, p.cmd.WaitDelay = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }, time.Second
	if err := p.start(); err != nil {
		p.cancel()
		return nil, err
	}
	return p, nil
}

// start starts the command and has its payload say a first word.
func (p *ordinaryRun) start() error {
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer inRead.Close()
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer outWrite.Close()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = inRead, outWrite, &p.complaint
	p.in, p.out = inWrite, bufio.NewReader(outRead)
	if err := p.cmd.Start(); err != nil {
		return err
	}
	outWrite.Close() // or its end would never be read
	if _, err := p.run("true"); err != nil {
		return fmt.Errorf("%w; it said %q", errors.Join(err, p.end()), p.complaint.String())
	}
	return nil
}

// payload finds its payload: of the processes it has started the one in another
// user namespace.
func (p *ordinaryRun) payload(ctx context.Context) (int, error) {
	snap, err := inspect.Take(ctx, inspect.Scope{PIDs: []int{p.cmd.Process.Pid}})
	if err != nil {
		return 0, err
	}
	ours, err := os.Readlink("/proc/self/ns/user")
	if err != nil {
		return 0, err
	}
	for _, o := range snap.Of(inspect.Process) {
		if ns := o.Detail.Get(string(inspect.User)); ns != "" && ns != ours {
			var pid int
			_, err := fmt.Sscan(o.ID, &pid)
			return pid, err
		}
	}
	return 0, errors.New("it has no process in a user namespace of its own")
}

// end lets the payload finish and waits for it.
func (p *ordinaryRun) end() error {
	defer p.cancel()
	return errors.Join(p.in.Close(), p.cmd.Wait())
}
