package op

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// provoke has, for each row of hints, what brings the refusal about. dir is a
// tmpfs in a mount namespace of the thread's own; the thread ends afterwards.
var provoke = map[string]map[sys.Errno]func(k *sys.Kernel, dir string) error{
	"clone": {
		sys.EPERM: func(k *sys.Kernel, _ string) error {
			becomeNobody(k)
			return Run(Clone{Flags: sys.NewUTS}, k, &Target{Launch: sys.Launch{Exe: "/bin/true", Argv: []string{"true"}}})
		},
		sys.ENOSPC: func(*sys.Kernel, string) error { return withoutNamespaces("clone") },
		sys.EACCES: func(k *sys.Kernel, dir string) error {
			program := dir + "/init" // on a mount with noexec
			err := errors.Join(os.WriteFile(program, []byte("#!/bin/true\n"), 0o755), k.Mount("", dir, "", sys.Remount|sys.Bind|sys.Noexec, ""))
			if err != nil {
				return err
			}
			return Run(Clone{Flags: sys.NewUTS}, k, &Target{Launch: sys.Launch{Exe: program, Argv: []string{"init"}}})
		},
	},
	"unshare": {
		sys.EPERM: func(k *sys.Kernel, _ string) error {
			becomeNobody(k)
			return Run(Unshare{Flags: sys.NewUTS}, k, &Target{})
		},
		sys.ENOSPC: func(*sys.Kernel, string) error { return withoutNamespaces("unshare") },
	},
	"overlay": {
		sys.EINVAL: func(k *sys.Kernel, dir string) error {
			below := Overlay{Lower: []string{dir + "/l"}, Upper: dir + "/u", Work: dir + "/w", Target: dir + "/m"}
			if err := Run(below, k, nil); err != nil {
				return err
			}
			above := below
			above.Upper, above.Work, above.Target = dir+"/m/u", dir+"/m/w", dir+"/l"
			if err := errors.Join(os.Mkdir(above.Upper, 0o755), os.Mkdir(above.Work, 0o755)); err != nil {
				return err
			}
			return Run(above, k, nil)
		},
		sys.EPERM: func(k *sys.Kernel, dir string) error {
			becomeNobody(k)
			return Run(Overlay{Lower: []string{dir + "/l"}, Upper: dir + "/u", Work: dir + "/w", Target: dir + "/m"}, k, nil)
		},
		sys.EACCES: func(k *sys.Kernel, dir string) error {
			o := Overlay{Lower: []string{dir + "/l"}, Upper: dir + "/u", Work: dir + "/w", Target: dir + "/m"}
			return Run(o, behindClosedDoor(k, dir), nil)
		},
	},
	"mount": {
		sys.EACCES: func(k *sys.Kernel, dir string) error {
			return Run(Mount{Source: dir + "/l", Target: dir + "/l", Flags: sys.Bind}, behindClosedDoor(k, dir), nil)
		},
		sys.EPERM: func(*sys.Kernel, string) error {
			return child(exec.Command("unshare", "--user", "--map-root-user", "--mount", os.Args[0]), "mount")
		},
	},
	"sysctl": {
		sys.EROFS: func(k *sys.Kernel, _ string) error {
			err := errors.Join(k.Mount("/proc/sys", "/proc/sys", "", sys.Bind, ""), k.Mount("", "/proc/sys", "", sys.Remount|sys.Bind|sys.Rdonly, ""))
			if err != nil {
				return err
			}
			return Run(Sysctl{Key: "net.ipv4.conf.lo.route_localnet", Value: "1"}, k, nil)
		},
	},
	"open_tree": {sys.EACCES: func(k *sys.Kernel, dir string) error {
		return Run(OpenTree{Sources: []string{dir + "/l"}}, behindClosedDoor(k, dir), nil)
	}},
	"prlimit": {sys.EPERM: func(k *sys.Kernel, _ string) error {
		becomeNobody(k)
		return Run(Rlimit{Type: "RLIMIT_NICE", Soft: 40, Hard: 40}, k, nil)
	}},
	"setuid": {
		sys.EINVAL: func(*sys.Kernel, string) error {
			return child(exec.Command("unshare", "--user", "--map-root-user", os.Args[0]), "setuid")
		},
		sys.EPERM: func(k *sys.Kernel, _ string) error {
			becomeNobody(k)
			return Run(SetUser{UID: 1}, k, nil)
		},
	},
	"execve": {
		sys.ENOENT: func(_ *sys.Kernel, dir string) error { return execIn(dir, "none", nil) },
		sys.EACCES: func(_ *sys.Kernel, dir string) error {
			return execIn(dir, "plain", func(f string) error { return os.Chmod(f, 0o644) })
		},
		sys.ENOEXEC: func(_ *sys.Kernel, dir string) error {
			return execIn(dir, "garbage", func(f string) error { return os.Chmod(f, 0o755) })
		},
	},
	"mkdir": {
		sys.ENOSPC: func(k *sys.Kernel, dir string) error {
			if err := Run(Mount{Source: "tmpfs", Target: dir + "/m", Type: "tmpfs", Data: "nr_inodes=1"}, k, nil); err != nil {
				return err
			}
			return Run(Dir{Path: dir + "/m/x", Mode: 0o755}, k, nil)
		},
	},
	"cgroup_create": {
		sys.EROFS: func(k *sys.Kernel, dir string) error {
			if err := Run(Mount{Source: "tmpfs", Target: dir + "/m", Type: "tmpfs", Flags: sys.Rdonly}, k, nil); err != nil {
				return err
			}
			return Run(CgroupCreate{Dirs: []string{dir + "/m/x"}}, k, nil)
		},
	},
	"seccomp": {
		sys.EACCES: func(k *sys.Kernel, _ string) error {
			becomeNobody(k)
			return Run(Seccomp{SeccompProfile{DefaultAction: "SCMP_ACT_ALLOW"}}, k, nil)
		},
	},
}

func TestHints(t *testing.T) {
	for name, rows := range hints {
		for errno := range rows {
			t.Run(name+" "+sys.ErrnoName(errno), func(t *testing.T) {
				f := provoke[name][errno]
				require.NotNil(t, f, "a hint that nothing provokes")
				err := onOwnThread(f)
				var refused *Error
				require.ErrorAs(t, err, &refused)
				require.Equal(t, errno, refused.Errno, err.Error())
				require.Equal(t, hints[name][errno], refused.Hint())
			})
		}
	}
}

// onOwnThread runs f on a thread with a mount namespace of its own, which ends
// with it.
func onOwnThread(f func(*sys.Kernel, string) error) error {
	dir, err := os.MkdirTemp("", "cutaway-op-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked
		k := &sys.Kernel{}
		err := errors.Join(k.Unshare(sys.NewNS), k.Mount("", "/", "", sys.Rec|sys.Private, ""), k.Mount("tmpfs", dir, "tmpfs", 0, "mode=777"))
		for _, d := range []string{"l", "u", "w", "m"} {
			err = errors.Join(err, os.Mkdir(filepath.Join(dir, d), 0o777))
		}
		if err == nil {
			err = f(k, dir)
		}
		result <- err
	}()
	return <-result
}

// behindClosedDoor makes dir unsearchable for the thread, which may mount but
// not override permissions: as a container's root before a directory of root's
// with mode 0700.
func behindClosedDoor(k *sys.Kernel, dir string) *sys.Kernel {
	admin, _ := sys.CapNumber("CAP_SYS_ADMIN")
	_ = errors.Join(os.Chmod(dir, 0), k.Capset(1<<admin, 1<<admin, 0))
	return k
}

// becomeNobody takes the thread's privileges, for good.
func becomeNobody(k *sys.Kernel) { _ = k.Setresuid(65534) }

// refusedChild tells a second run of this test binary what to try.
const refusedChild = "CUTAWAY_TEST_REFUSED"

// execIn executes a file of dir in a process of its own and gives its refusal.
func execIn(dir, name string, prepare func(string) error) error {
	file := filepath.Join(dir, name)
	if prepare != nil {
		if err := errors.Join(os.WriteFile(file, []byte{0, 1, 2}, 0o644), prepare(file)); err != nil {
			return err
		}
	}
	return child(exec.Command("/proc/self/exe"), "execve "+file)
}

// withoutNamespaces tries an operation in a user namespace whose limit of UTS
// namespaces is 0.
func withoutNamespaces(what string) error {
	return child(exec.Command("unshare", "--user", "--map-root-user", "sh", "-c",
		"echo 0 > /proc/sys/user/max_uts_namespaces && exec "+os.Args[0]), what)
}

func child(cmd *exec.Cmd, what string) error {
	cmd.Env = append(os.Environ(), refusedChild+"="+what)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("%s: %w: %s", what, err, out)
	}
	var name string
	fmt.Sscan(what, &name)
	return &Error{Op: name, What: string(out), Errno: sys.Errno(exit.ExitCode())}
}

// refused is what the child does: its exit status is the error number.
func refused(what string) int {
	var name, arg string
	fmt.Sscan(what, &name, &arg)
	k := &sys.Kernel{}
	ops := map[string]Op{"clone": Clone{Flags: sys.NewUTS}, "unshare": Unshare{Flags: sys.NewUTS},
		"mount": Mount{Source: "proc", Target: "/tmp", Type: "proc"}, "setuid": SetUser{UID: 1, NoGroups: true}}
	var err error
	if o, ok := ops[name]; ok {
		err = Run(o, k, &Target{Launch: sys.Launch{Exe: "/bin/true", Argv: []string{"true"}}})
	} else {
		err = k.Execve(arg, []string{arg}, nil)
	}
	fmt.Println(err)
	var errno sys.Errno
	errors.As(err, &errno)
	return int(errno)
}

func TestMain(m *testing.M) {
	if what := os.Getenv(refusedChild); what != "" {
		os.Exit(refused(what))
	}
	os.Exit(m.Run())
}
