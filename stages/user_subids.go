package stages

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strings"

	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
)

// subidFiles say which ids beside their own a user may map: subuid(5).
var subidFiles = []string{"/etc/subuid", "/etc/subgid"}

// noSubids is why subordinate ids cannot be shown on this machine, "" if they can.
func noSubids() string {
	if why := forbidden(); why != "" {
		return why
	}
	for _, program := range []string{"newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not on this machine (package uidmap of Debian, shadow-utils of Fedora)"
		}
	}
	for _, program := range []string{"unshare", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not on this machine (package util-linux)"
		}
	}
	if _, err := osuser.LookupId(fmt.Sprint(ordinary)); err != nil {
		return err.Error() // newuidmap asks for the name of who calls it
	}
	for _, file := range subidFiles {
		if !exists(file) {
			return "there is no " + file
		}
	}
	return ""
}

// lookSubordinate maps more ids than their own for an ordinary user, by the
// helpers of newuidmap(1). It is shown on the host's own files, where those are,
// in a mount namespace in which a file of the lab's covers /etc/subuid.
func lookSubordinate(ctx context.Context, l *Look) {
	if why := noSubids(); why != "" {
		l.Note("not shown: subordinate ids, because %s", why)
		return
	}
	why := fmt.Sprintf("one id is one user. To map more, somebody with privileges has to help: newuidmap, a program of root's, which goes by /etc/subuid. "+
		"Now a container on the host's files whose payload is user %d, without any capability. A file of the lab's covers /etc/subuid and subgid there: the host's are left alone", ordinary)
	l.with(ctx, why, func(other *Look) {
		if err := l.coverSubids(other); err != nil {
			l.failed("cover /etc/subuid", err)
			return
		}
		other.mapSubids()
	}, hostUsers, noNetwork, onHostFiles, func(s *plan.Spec) { s.Process.User = plan.User{UID: ordinary, GID: ordinary} })
}

func onHostFiles(s *plan.Spec) { s.Root, s.Linux.Mqueue = plan.Root{}, false }

// coverSubids gives the user the ids that the lab takes for containers, in the
// other container's mount namespace only.
func (l *Look) coverSubids(other *Look) error {
	ids := l.Lab.Features.IDs
	file := filepath.Join(l.Container.Spec.State, "subids")
	err := l.Container.Extend(op.File{Path: file, Text: fmt.Sprintf("%d:%d:%d\n", ordinary, ids.First, ids.Count)})
	for _, target := range subidFiles {
		if err == nil {
			err = other.Container.Extend(op.Attach{Source: file, Target: target})
		}
	}
	return err
}

// mapSubids is what the user does.
func (l *Look) mapSubids() {
	ids := l.Lab.Features.IDs
	l.Inside("cat /etc/subuid", "who, first id, how many", says(fmt.Sprintf("%d:%d:%d", ordinary, ids.First, ids.Count)))
	pid := l.newUsers("unshare -U sleep 600 & echo $!")
	proc := fmt.Sprintf("/proc/%d/", pid)
	l.Note("the next two fail, on purpose: the kernel lets this user map one id, and newuidmap no more than the file says; user 0 is not in it")
	l.Inside(fmt.Sprintf("printf '0 %d 1\\n1 %d %d\\n' | cat > %suid_map", ordinary, ids.First, ids.Count, proc), "by themselves: EPERM",
		func(o Out) bool { return o.Status != 0 && o.Has("Operation not permitted") })
	own := fmt.Sprintf(" %d 0 %d 1 ", pid, ordinary)
	l.Inside("newuidmap"+own+"1 0 1", "by newuidmap, the host's root as user 1", func(o Out) bool { return o.Status != 0 && o.Has("not allowed") })
	l.Note("and now what root has written down for this user")
	more := fmt.Sprintf("%s1 %d %d", own, ids.First, ids.Count)
	l.Inside("newuidmap"+more+" && newgidmap"+more+"; cat "+proc+"uid_map", "two lines: root is this user, the others are ids that belong to nobody", func(o Out) bool {
		return strings.Join(strings.Fields(o.Text), " ") == fmt.Sprint("0 ", ordinary, " 1 1 ", ids.First, " ", ids.Count)
	})
	second := 0
	l.Inside(fmt.Sprintf("nsenter -t %d -U -S %d -G %d sleep 600 & echo $!", pid, app, app), "a process of that namespace's user 1000",
		func(o Out) bool { return number(o.Text, &second) })
	host, err := l.hostPID(second)
	status := fmt.Sprintf("/proc/%d/status", host)
	want := is(allFour("Uid:", ids.First+app-1))
	l.Outside("grep Uid "+status, fmt.Sprintf("by the second line, which begins with 1: %d + %d - 1", ids.First, app),
		func() (string, error) {
			if err != nil {
				return "", err
			}
			return l.eventually(readLine(status, "Uid:"), want)()
		}, want)
}

// hostPID finds the process that has this number in the container's PID
// namespace, by the numbers that proc_pid_status(5) has of each.
func (l *Look) hostPID(inner int) (int, error) {
	ours, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", l.Container.PID()))
	if err != nil {
		return 0, err
	}
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		text, err := readLine(file, "NSpid:")()
		users, errUsers := os.Readlink(filepath.Dir(file) + "/ns/pid")
		if err != nil || errUsers != nil || users != ours || !strings.HasSuffix(text, fmt.Sprint(" ", inner)) {
			continue // another, or one that has ended since
		}
		pid := 0
		if number(filepath.Base(filepath.Dir(file)), &pid) {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("no process has number %d in %s", inner, ours)
}
