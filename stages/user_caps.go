package stages

import (
	"context"
	"fmt"
	"os"
	"strings"

	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
)

// lookOwners asks the kernel which user namespace owns each other namespace. Of
// one that is outside it does not even tell.
func lookOwners(l *Look) {
	ours, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", l.Container.PID()))
	l.Inside("probe owners", "ours owns what was made with it and after it; the rest is the host's", func(o Out) bool {
		for _, name := range []string{"uts", "mnt", "pid", "ipc", "net"} {
			if !strings.HasSuffix(o.lineText(name+":"), " = "+ours) {
				return false
			}
		}
		return err == nil && o.Status == 0 && strings.HasSuffix(o.lineText("user:"), "EPERM") && strings.HasSuffix(o.lineText("cgroup:"), "EPERM")
	})
}

// owningUsers is the inode of the user namespace that owns another namespace.
func owningUsers(file string) func() (string, error) {
	return func() (string, error) {
		inode, err := sys.NamespaceOwner(file)
		return fmt.Sprint(inode), err
	}
}

// usersOut is the inode of the user namespace of the lab itself.
func (l *Look) usersOut() string {
	link, _ := os.Readlink("/proc/self/ns/user") // unread, nothing equals it
	return strings.Trim(link, "user:[]")
}

// lookMachine tries what no namespace owns: the kernel asks for those
// capabilities in the first user namespace only.
func lookMachine(l *Look) {
	l.Note("some things belong to the machine and to no namespace: its clock, its devices. There the kernel asks for the capability in the first user namespace. So these calls fail with EPERM, on purpose, and so does the second mount: a devtmpfs is the host's /dev")
	l.Inside("probe calls clock_settime mknod", "root, with CAP_SYS_TIME and CAP_MKNOD", says("clock_settime EPERM\nmknod EPERM"))
	l.Inside("mount -t tmpfs mine /home && umount /home && echo mounted; mount -t devtmpfs dev /home", "a tmpfs of its own, yes. And then the program asks root whether it is root",
		func(o Out) bool { return o.Status != 0 && inLines(o.Text, "mounted", "mount: permission denied") })
}

// lookCapabilities uses the same capability against a UTS namespace that the
// container's user namespace owns, and against the host's, which it does not.
func lookCapabilities(ctx context.Context, l *Look) {
	l.Note("so much for ids. Now capabilities, and what they count against: each namespace has an owner, the user namespace in which it was made (ioctl_ns(2))")
	l.Inside("probe ids | grep CapEff", "every capability there is", func(o Out) bool { return o.Text == "CapEff all" })
	lookOwners(l)
	l.Inside("probe call sethostname", "allowed: this UTS namespace is owned by ours",
		func(o Out) bool { return o.Status == 0 && strings.HasSuffix(o.Text, "= 0") })
	lookMachine(l)
	l.Note("now a second container that keeps the host's UTS namespace: the same call fails with EPERM there, on purpose")
	spec := l.Again()
	spec.Drop("uts")
	spec.Hostname, spec.Domainname, spec.Net = "", "", plan.Net{Mode: "none"}
	second, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	defer l.ended(second)
	name, nameErr := os.Hostname()
	second.Inside("probe ids | grep CapEff", "again every capability", func(o Out) bool { return o.Text == "CapEff all" })
	uts := fmt.Sprintf("/proc/%d/ns/uts", second.Container.PID())
	l.Outside(fmt.Sprintf("lsns -no ONS -t uts -p %d", second.Container.PID()), "who owns the UTS namespace that it is in: the first user namespace, ours out here", owningUsers(uts), is(l.usersOut()))
	second.Inside("probe call sethostname", "refused: they do not count against the host's",
		func(o Out) bool { return o.Status == 1 && o.Has("EPERM") })
	l.Outside("hostname", "the host is called what it was", os.Hostname,
		func(now string) bool { return nameErr == nil && now == name })
}
