package sys

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Launch says how init is started. The Go runtime forks, so what happens
// between clone and execve is what package syscall does there, in its order:
// the ambient set is raised, the parent-death signal set, the descriptors put
// in place, then execve.
type Launch struct {
	Exe   string   // what to execute, as the child sees it: /proc/self/fd/N
	Argv  []string // argv[0] first
	Env   []string
	Dir   string
	Files []uintptr // descriptors of the child, from 0
	// Setctty makes descriptor 0 the controlling terminal of a new session;
	// Setsid only starts the session.
	Setsid, Setctty bool
	// Credential, when set, starts init as another user (to show the lab as an
	// ordinary user sees it).
	UID, GID int // used when AsUser
	AsUser   bool
}

// Clone starts init in the new namespaces of flags: clone(2), or clone3(2) when
// a cgroup is given to be born into (CLONE_INTO_CGROUP, since Linux 5.7). It
// returns the child's pid and a descriptor for it (pidfd_open(2)).
//
// It must be called on a locked thread: PR_SET_PDEATHSIG fires when the thread
// that forked ends, not when the process does.
func (k *Kernel) Clone(flags int, cgroupDir string, l Launch) (pid, pidfd int, err error) {
	attr := &syscall.SysProcAttr{
		// Nobody waits for a map of ids to be written from here, the one reason for
		// package syscall to copy the memory where there is a new user namespace.
		Cloneflags: uintptr(flags | unix.CLONE_VM | unix.CLONE_VFORK),
		Pdeathsig:  syscall.SIGKILL,
		PidFD:      &pidfd,
		Setsid:     l.Setsid || l.Setctty,
		Setctty:    l.Setctty,
	}
	if !k.Dry { // init must not have them either: the image names its working directory, which may be /proc/self/fd/N
		closeOnExecFrom(3)
	}
	if l.AsUser {
		attr.Credential = &syscall.Credential{Uid: uint32(l.UID), Gid: uint32(l.GID)}
	}
	if flags&unix.CLONE_NEWUSER != 0 {
		// No id is mapped yet, so execve would see an unprivileged stranger and
		// drop every capability. The ambient set survives: capabilities(7).
		attr.AmbientCaps = allCaps()
	}
	all := flags | unix.CLONE_PIDFD | unix.CLONE_VM | unix.CLONE_VFORK
	name, args := "clone", []string{CloneFlags(uint64(all)) + "|SIGCHLD"}
	if cgroupDir != "" {
		fd, err := openIf(!k.Dry, cgroupDir)
		if err != nil {
			return 0, -1, err
		}
		defer unix.Close(fd)
		attr.UseCgroupFD, attr.CgroupFD = true, fd
		name = "clone3"
		args = []string{"{flags=" + CloneFlags(uint64(all|unix.CLONE_INTO_CGROUP)) +
			", exit_signal=SIGCHLD, cgroup=<" + cgroupDir + ">}"}
	}
	ret, err := k.call(func() (int64, error) {
		p, _, err := syscall.StartProcess(l.Exe, l.Argv, &syscall.ProcAttr{Dir: l.Dir, Env: l.Env, Files: l.Files, Sys: attr})
		return int64(p), err
	}, name, args...)
	if err == nil && !k.Quiet {
		k.recordChild(attr, l)
	}
	return int(ret), pidfd, err
}

// recordChild records what package syscall has the child do between clone and
// execve, which it does in its own process, in its order.
func (k *Kernel) recordChild(attr *syscall.SysProcAttr, l Launch) {
	done := func(name string, args ...string) { k.Record(name, args, 0, nil) }
	if len(attr.AmbientCaps) > 0 {
		done("prctl", "PR_SET_KEEPCAPS", "1")
	}
	if attr.Setsid {
		done("setsid")
	}
	if attr.Credential != nil {
		done("setgroups", "0", "[]")
		done("setgid", strconv.Itoa(l.GID))
		done("setuid", strconv.Itoa(l.UID))
	}
	if len(attr.AmbientCaps) > 0 {
		var all uint64
		for _, c := range attr.AmbientCaps {
			all |= 1 << c
		}
		done("capset", capHeader, capSets(all, all, all))
	}
	for _, c := range attr.AmbientCaps {
		done("prctl", "PR_CAP_AMBIENT", "PR_CAP_AMBIENT_RAISE", CapName(int(c)), "0", "0")
	}
	done("prctl", "PR_SET_PDEATHSIG", "SIGKILL")
	if attr.Setctty {
		done("ioctl", "0", "TIOCSCTTY", "1")
	}
	if l.Exe == "" { // not known before the copy is made
		l = Launch{Exe: "/proc/self/fd/N", Argv: []string{"cutaway-init"}}
	}
	done("execve", Quote(l.Exe), "["+Quote(strings.Join(l.Argv, " "))+"]", fmt.Sprintf("[/* %d vars */]", len(l.Env)))
}

func openIf(really bool, dir string) (int, error) {
	if !really {
		return -1, nil
	}
	return unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// allCaps lists the numbers of every capability this kernel has.
func allCaps() []uintptr {
	var caps []uintptr
	for n := range LastCap() + 1 {
		caps = append(caps, uintptr(n))
	}
	return caps
}

// LastCap gives the highest capability number of the running kernel:
// /proc/sys/kernel/cap_last_cap. It is read once.
var LastCap = sync.OnceValue(func() int {
	if b, err := os.ReadFile("/proc/sys/kernel/cap_last_cap"); err == nil {
		if last, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			return last
		}
	}
	return len(capNames) - 1
})

// SealedCopy puts program into a memfd that nobody can write to any more and
// returns its descriptor: memfd_create(2). A container can reach the file its
// init was started from by /proc/PID/exe; sealed, there is nothing to gain
// there (CVE-2019-5736).
func SealedCopy(name string, program io.Reader) (int, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_EXEC)
	if err == unix.EINVAL { // MFD_EXEC is new in Linux 6.3
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return -1, fmt.Errorf("memfd_create %s: %w", name, err)
	}
	if err := writeAll(fd, program); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("write memfd %s: %w", name, err)
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("seal memfd %s: %w", name, err)
	}
	return fd, nil
}

// writeAll copies r to a descriptor.
func writeAll(fd int, r io.Reader) error {
	buf := make([]byte, 128<<10)
	for {
		n, err := r.Read(buf)
		for rest := buf[:n]; len(rest) > 0; {
			n, err := unix.Write(fd, rest)
			if err != nil {
				return err
			}
			rest = rest[n:]
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Execve replaces the process by another program: execve(2). It returns only
// when that did not work.
func (k *Kernel) Execve(path string, argv, env []string) error {
	quoted := make([]string, len(argv))
	for i, a := range argv {
		quoted[i] = Quote(a)
	}
	args := []string{Quote(path), "[" + strings.Join(quoted, ", ") + "]", fmt.Sprintf("[/* %d vars */]", len(env))}
	if !k.Quiet {
		k.Record("execve", args, 0, nil)
	}
	if k.Dry {
		return nil
	}
	if k.BeforeExec != nil {
		k.BeforeExec()
	}
	err := unix.Exec(path, argv, env)
	if !k.Quiet {
		k.calls = nil
		k.Record("execve", args, -1, err)
	}
	return err
}

// Kill sends SIGKILL to the process behind pidfd: pidfd_send_signal(2). A
// process that has ended already is no error.
func Kill(pidfd int) error {
	return Signal(pidfd, unix.SIGKILL)
}

// Signal sends a signal to the process behind pidfd: pidfd_send_signal(2).
func Signal(pidfd int, sig syscall.Signal) error {
	err := unix.PidfdSendSignal(pidfd, sig, nil, 0)
	if err == unix.ESRCH {
		return nil
	}
	return err
}

// Exit is how a process ended.
type Exit struct {
	Code   int            // exit status, when Signal is 0
	Signal syscall.Signal // the signal that ended it
	RSS    int64          // largest resident set, KiB
}

// Status is the exit status a shell would report: the code, or 128+n.
func (e Exit) Status() int {
	if e.Signal != 0 {
		return 128 + int(e.Signal)
	}
	return e.Code
}

// SignalName names the signal that ended the process, "" if none did.
func (e Exit) SignalName() string {
	if e.Signal == 0 {
		return ""
	}
	return unix.SignalName(e.Signal)
}

// Wait waits for the child pid to end and reaps it: wait4(2).
func Wait(pid int) (Exit, error) {
	var (
		ws unix.WaitStatus
		ru unix.Rusage
	)
	for {
		_, err := unix.Wait4(pid, &ws, 0, &ru)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return Exit{}, fmt.Errorf("wait for process %d: %w", pid, err)
		}
		if ws.Signaled() {
			return Exit{Signal: ws.Signal(), RSS: ru.Maxrss}, nil
		}
		if ws.Exited() {
			return Exit{Code: ws.ExitStatus(), RSS: ru.Maxrss}, nil
		}
	}
}

// Reap collects the child pid if it has ended and says whether it had. Orphans
// of the container come to us when we are a child subreaper.
func Reap(pid int) bool {
	got, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
	return err == nil && got == pid
}

// Subreaper makes this process inherit the orphans of the lab, so that a
// container without a PID namespace cannot leave processes behind:
// PR_SET_CHILD_SUBREAPER, prctl(2).
func Subreaper() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// Gone reports whether the process behind pidfd has ended, waiting at most d.
func Gone(pidfd int, d time.Duration) bool { return readable(pidfd, d) }

// readable reports whether there is something to read, or nobody left to write,
// waiting at most d: ppoll(2).
func readable(fd int, d time.Duration) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	wait := unix.NsecToTimespec(d.Nanoseconds())
	n, err := unix.Ppoll(p, &wait, nil)
	return err == nil && n > 0
}

// TryLock takes an exclusive lock on an open file without waiting: flock(2). It
// ends with the process, however that ends. EWOULDBLOCK says somebody has it.
func TryLock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// Lock takes an exclusive lock on an open file, waiting for it: flock(2).
func Lock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			return err
		}
	}
}
