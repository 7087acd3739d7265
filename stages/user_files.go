package stages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cutaway/sandbox/op"
)

// Whose a file is, from both sides of a user namespace: user_namespaces(7),
// "Interaction with system calls that change process UIDs or GIDs" and the
// sections after it.

// lookOwner has root inside make a file, and asks both sides whose it is.
func lookOwner(l *Look) {
	const file = "/tmp/mine"
	l.Inside("touch "+file+" && stat -c %u "+file, "a file made inside belongs to root inside", func(o Out) bool { return o.Text == "0" })
	outside := filepath.Join(l.Container.Spec.Root.Path, file)
	l.Outside("stat -c %u .../rootfs"+file, "on the disk it belongs to nobody in particular",
		func() (string, error) { return ownerOf(outside) },
		func(text string) bool { return text == fmt.Sprint(l.Container.Spec.RootUID()) })
}

// unmapped is what an id that has no number in a user namespace reads as:
// /proc/sys/kernel/overflowuid.
const unmapped = 65534

// lookStrangers puts a directory of the host's root into the container, where
// that root has no number.
func lookStrangers(l *Look) {
	const theirs, nobodys = "/tmp/theirs", "/tmp/nobodys"
	outside := func(path string) string { return filepath.Join(l.Container.Spec.Root.Path, path) }
	if err := l.Container.Extend(op.Dir{Path: outside(theirs), Mode: 0o700}); err != nil {
		l.failed("make a directory of the host's root", err)
		return
	}
	l.Note("now the host's root has put a directory into this root, %s. User 0 of the host has no number in here. The next ls fails with EACCES, on purpose", theirs)
	l.Inside("stat -c '%u %a' "+theirs, "an owner without a number here reads as 65534", says(fmt.Sprintf("%d 700", unmapped)))
	l.Inside("ls "+theirs, "root has no way in: CAP_DAC_OVERRIDE counts only where owner and group have numbers here (capabilities(7))",
		func(o Out) bool { return o.Status != 0 && o.Has("Permission denied") })
	m := l.Container.Spec.Linux.UIDMappings[0]
	if m.Size <= unmapped {
		return // in a lab inside a lab there is nobody of that number
	}
	l.Inside("mkdir -m 700 "+nobodys+"; chown 65534 "+nobodys+"; ls "+nobodys+" && stat -c %u /tmp/*s", "user 65534 of this namespace reads alike, and is somebody else",
		says("65534\n65534"))
	l.Outside("stat -c %u .../rootfs/tmp/*s", "outside they are told apart",
		func() (string, error) {
			a, err := ownerOf(outside(nobodys))
			if err != nil {
				return "", err
			}
			b, err := ownerOf(outside(theirs))
			return a + "\n" + b, err
		}, is(fmt.Sprintf("%d\n0", m.HostID+unmapped)))
}

// lookIDMapped attaches one directory of the host twice: as it is, and with its
// owners translated by the container's own maps.
func lookIDMapped(l *Look) {
	l.Note("a directory of the host's, NOTES, is for its owner only, the host's user %d. A bind mount shows it in here as it is, and ls fails with EACCES, on purpose", app)
	notes := filepath.Join(l.Container.Spec.State, "notes")
	if err := l.shareNotes(notes); err != nil {
		l.failed("make NOTES", err)
		return
	}
	const plain, mapped = "/mnt", "/srv"
	l.attach(op.Attach{Source: notes, Target: plain})
	l.Inside("stat -c %u "+plain+"; ls "+plain, "nobody's: the host's user 1000 has no number here. So images and volumes are often copied for a container, with other owners",
		func(o Out) bool {
			return o.Status != 0 && o.Has(fmt.Sprint(unmapped, "\n")) && o.Has("Permission denied")
		})
	if why := l.noIDMapped(); why != "" {
		l.Note("not shown: a mount that translates owners, because %s", why)
		return
	}
	l.Note("since Linux 5.12 a mount can translate owners instead, on most file systems. The host's root asks for it, and names the user namespace whose maps count")
	l.attach(op.Attach{Source: notes, Target: mapped, Mapped: true})
	l.Inside("grep -o ' "+mapped+" [a-z,]*' /proc/self/mountinfo", "the mount says so itself", func(o Out) bool { return strings.HasSuffix(o.Text, ",idmapped") })
	l.Note("nothing else has changed: NOTES is one directory, seen by two mounts")
	l.Inside("stat -c %u "+mapped+"; cat "+mapped+"/list", "by this mount it is this namespace's user 1000's, and root may read it", says(fmt.Sprintf("%d\nmilk", app)))
	l.Inside(fmt.Sprintf("cd %s; echo bread > more; chown %d more; stat -c %%u more %s", mapped, app, plain), "made by one mount; the other is as it was",
		says(fmt.Sprintf("%d\n%d", app, unmapped)))
	l.Outside("stat -c %u NOTES/more", "on the disk it is the host's user 1000's: nothing was copied, no owner was changed",
		func() (string, error) { return ownerOf(filepath.Join(notes, "more")) }, is(fmt.Sprint(app)))
}

// noIDMapped is why there is no id-mapped mount here, "" if there can be one.
func (l *Look) noIDMapped() string {
	fstype, err := rootType(l.Container.PID())
	if err == nil {
		err = l.Lab.Features.HaveIDMappedMounts(fstype)
	}
	if err != nil {
		return err.Error()
	}
	if text, err := readFile("/proc/self/uid_map")(); err != nil || strings.Join(strings.Fields(text), " ") != "0 0 4294967295" {
		return "the lab is in a user namespace itself, which the file system does not belong to"
	}
	return ""
}

// shareNotes makes a directory that ends with the container, for its owner only.
func (l *Look) shareNotes(dir string) error {
	if err := l.Container.Extend(op.Dir{Path: dir, Mode: 0o700, UID: app, GID: app}); err != nil {
		return err
	}
	return l.Container.Extend(op.File{Path: filepath.Join(dir, "list"), Text: "milk\n", UID: app, GID: app})
}

// attach does it, and shows the calls.
func (l *Look) attach(o op.Attach) {
	l.Container.Calls() // those before are somebody else's
	l.Outside("# attach NOTES at "+o.Target+" of the container", "a mount in its namespace, made from out here",
		func() (string, error) {
			err := l.Container.Extend(o)
			var calls []string
			for _, c := range l.Container.Calls() {
				calls = append(calls, strings.ReplaceAll(c.String(), o.Source, "NOTES"))
			}
			return strings.Join(calls, "\n"), err
		},
		func(text string) bool {
			return strings.Contains(text, "move_mount(") && strings.Contains(text, "MOUNT_ATTR_IDMAP") == o.Mapped
		})
}

// rootType is the type of the file system that is a process's root:
// proc_pid_mountinfo(5).
func rootType(pid int) (fstype string, err error) {
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	for line := range strings.Lines(string(table)) {
		before, after, _ := strings.Cut(line, " - ")
		if f := strings.Fields(before); len(f) > 4 && f[4] == "/" {
			fstype, _, _ = strings.Cut(after, " ") // the last one is on top
		}
	}
	return fstype, err
}
