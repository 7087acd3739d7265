package stages

import (
	"context"
	"fmt"
	"os"
	"strings"

	"cutaway/sandbox/plan"
)

// lookSetgroups shows why an ordinary user must give up setgroups(2) before they
// may map groups: user_namespaces(7), "The /proc/pid/setgroups file". A group can
// be there to deny. In the container that shows it, root is the host's, and app
// the ordinary user.
func lookSetgroups(ctx context.Context, l *Look) {
	if why := forbidden(); why != "" {
		l.Note("not shown: why setgroups had to go, because %s", why)
		return
	}
	why := "and why did setgroups have to go? A group may be there to keep somebody out. Another container, without a user namespace, has a user app, and a file that is open to all but the group closed"
	l.with(ctx, why, func(other *Look) {
		const file = "/srv/notice"
		other.Inside("echo closed:x:77:app >> /etc/group; echo hello > "+file+"; chown :closed "+file+"; chmod 604 "+file+"; stat -c '%A %U:%G' "+file,
			"owner rw-, group ---, others r--", says("-rw----r-- root:closed"))
		other.Note("the next cat fails with EACCES, on purpose")
		other.Inside(asApp("id -G; cat "+file), "app is in the group, and is kept out", func(o Out) bool { return o.Status != 0 && o.Has("1000 77\n") && o.Has("Permission denied") })
		other.Note("to leave a group takes CAP_SETGID, and in a user namespace of one's own one has that. So app makes one, and the kernel demands something first: the write fails with EPERM, on purpose")
		denied := other.newUsers(asApp("unshare -U sleep 600 & echo $!"))
		proc := fmt.Sprintf("/proc/%d/", denied)
		other.Inside(asApp("echo 0 1000 1 > "+proc+"gid_map")+"; cat "+proc+"setgroups", "no map of groups while setgroups is allowed",
			func(o Out) bool { return o.Has("Operation not permitted") && strings.HasSuffix(o.Text, "\nallow") })
		other.Inside(asApp("cd "+proc+"; echo 0 1000 1 > uid_map; echo deny > setgroups; echo 0 1000 1 > gid_map; cat setgroups gid_map"), "denied for good, and then the map",
			func(o Out) bool { return strings.Join(strings.Fields(o.Text), " ") == "deny 0 1000 1" })
		enter := func(pid int) string { return asApp(fmt.Sprintf("nsenter -t %d -U cat %s", pid, file)) }
		other.Note("nsenter becomes root of that namespace, and leaves all groups on its way. It fails with EPERM, on purpose")
		other.Inside(enter(denied), "nobody in there can leave a group: the file stays closed",
			func(o Out) bool {
				return o.Status != 0 && o.Has("setgroups: Operation not permitted") && !o.Has("hello")
			})
		other.Note("and if it were not so? The host's root may write any map. Here it does, for another namespace of app's, and denies nothing")
		allowed := other.newUsers(asApp("unshare -U sleep 600 & echo $!"))
		other.Inside(fmt.Sprintf("cd /proc/%d; echo 0 1000 1 > uid_map; echo 0 1000 1 > gid_map; cat setgroups", allowed), "a map, and setgroups as well", says("allow"))
		other.Inside(enter(allowed), "the group is left, and app reads what was closed to them: that is the hole", says("hello"))
	}, hostUsers, noNetwork, func(s *plan.Spec) { s.Linux.Devices = true }) // a shell gives /dev/null to what it leaves running
}

// asApp is a command that the ordinary user of the built-in image runs.
func asApp(command string) string { return "su app -c '" + command + "'" }

func noNetwork(s *plan.Spec) { s.Net = plan.Net{Mode: "none"} }

// newUsers runs a command that makes a user namespace, prints the pid of the
// process in it and leaves it there; and waits until that is so.
func (l *Look) newUsers(command string) (pid int) {
	l.Inside(command, "a process in a user namespace that has no maps yet", func(o Out) bool {
		if !number(o.Text, &pid) {
			return false
		}
		host, err := l.hostPID(pid)
		if err != nil {
			return false
		}
		ours, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", l.Container.PID()))
		other := func(users string) bool { return users != ours }
		users, errUsers := l.eventually(func() (string, error) { return os.Readlink(fmt.Sprintf("/proc/%d/ns/user", host)) }, other)()
		return err == nil && errUsers == nil && other(users)
	})
	return pid
}
