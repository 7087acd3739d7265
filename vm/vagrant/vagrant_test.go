package vagrant

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"cutaway/stages"
	"cutaway/vm"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "put the end of the log into docs/machines.md")

const boxName = "cutaway/debian-13"

func project(t *testing.T) string {
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	return dir
}

// lab is a Vagrant machine under test.
type lab struct {
	*testing.T
	dir string   // the project's
	env []string // every command's
	log bytes.Buffer
}

// newLab prepares everything short of the machine, and sees to its end.
func newLab(t *testing.T) *lab {
	require.Zero(t, os.Geteuid(), "libvirt's daemons and a box need root")
	startLibvirt(t)
	home := t.TempDir()
	l := &lab{T: t, dir: project(t)}
	l.env = append(os.Environ(),
		"TMPDIR="+home, "VAGRANT_HOME="+home, "VAGRANT_DOTFILE_PATH="+filepath.Join(home, "dot"), "VAGRANT_DEFAULT_PROVIDER=libvirt",
		"VAGRANT_CHECKPOINT_DISABLE=1", "VAGRANT_NO_COLOR=1",
		"CUTAWAY_BOX="+boxName, "CUTAWAY_BOX_URL=file://"+l.box())
	if emulated() {
		// QEMU 7.2 emulating two processors may miss that one of them changes code
		// that the other runs: the guest panics in int3.
		l.env = append(l.env, "CUTAWAY_CPUS=1")
	}
	require.NoError(t, os.WriteFile(filepath.Join(home, "Vagrantfile"), []byte(local()), 0o644))
	t.Cleanup(func() {
		_, _ = l.vagrant("destroy", "-f") // gone already if all went well
		l.removeImages()
	})
	return l
}

// removeImages removes what vagrant-libvirt keeps of the box for its next machine.
func (l *lab) removeImages() {
	list, err := virshSays("vol-list", "default")
	require.NoError(l, err)
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		if len(f) > 0 && strings.HasPrefix(f[0], strings.ReplaceAll(boxName, "/", "-VAGRANTSLASH-")+"_vagrant_box_image_") {
			require.NoError(l, virsh("vol-delete", "--pool", "default", f[0]))
		}
	}
}

// box is the file of a box, made if there is none that is newer than its script.
func (l *lab) box() string {
	file, script := filepath.Join(l.dir, "bin", "debian-13.box"), filepath.Join(l.dir, "vm", "box.sh")
	made, err := os.Stat(file)
	source, scriptErr := os.Stat(script)
	require.NoError(l, scriptErr)
	if err != nil || made.ModTime().Before(source.ModTime()) {
		out, err := exec.Command(script, file).CombinedOutput()
		require.NoError(l, err, "%s", out)
	}
	return file
}

// emulated reports whether machines run without KVM here, as far as it is known.
func emulated() bool {
	v, known := vm.Acceleration(runtime.GOARCH)
	return !known || v.Accel != "kvm"
}

// local is what this computer needs beside the project's Vagrantfile.
func local() string {
	emulate := ""
	if emulated() {
		emulate = `l.driver = "qemu"; l.cpu_mode = "maximum"`
	}
	return `Vagrant.configure("2") do |c|
  c.vm.boot_timeout = 900
  c.vm.provider(:libvirt) { |l| l.graphics_type = "none"; l.video_type = "none"; ` + emulate + ` }
end
`
}

// vagrant runs a verb in the project and returns what it says.
func (l *lab) vagrant(args ...string) (string, error) {
	fmt.Fprintf(&l.log, "$ vagrant %s\n", typed(args))
	// Vagrant waits for a machine that has crashed, however long that takes. Not
	// the test's own context: this runs after its end, too.
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "vagrant", args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = l.dir, l.env, time.Second
	var out bytes.Buffer
	cmd.Stdout = io.MultiWriter(&out, os.Stderr)
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	// A progress bar writes one line again and again.
	said := regexp.MustCompile(`[^\n]*[\r\x1b][^\n]*\n`).ReplaceAllString(out.String(), "")
	l.log.WriteString(strings.ReplaceAll(said, l.dir, "cutaway"))
	return said, err
}

// typed is how a person would have typed the words.
func typed(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = arg
		if strings.ContainsAny(arg, " $;") {
			words[i] = "'" + arg + "'"
		}
	}
	return strings.Join(words, " ")
}

// inside runs a command in the machine, which must succeed.
func (l *lab) inside(command string) string {
	l.Helper()
	out, err := l.vagrant("ssh", "-c", command)
	require.NoError(l, err, command)
	return out
}

// TestMachine is what a learner does, from vagrant up to destroy.
func TestMachine(t *testing.T) {
	l := newLab(t)
	out, err := l.vagrant("validate")
	require.NoError(t, err, out)
	l.refusesWithoutProgram()
	out, err = l.vagrant("up")
	require.NoError(t, err)
	require.Contains(t, out, "provision: wrote /etc/cutaway-machine")

	tour := l.inside("sudo cutaway tour --auto")
	for _, s := range stages.All {
		require.Contains(t, tour, "\n "+s.Slug+" ")
	}
	require.Contains(t, tour, "host before = host after: yes")
	require.Contains(t, l.inside("cutaway"), fmt.Sprintf("you have seen %d of %[1]d stages", len(stages.All)))
	l.greets()
	l.inside("cutaway doctor")
	l.secondTime()
	l.refusesVersion1()

	kernel := strings.TrimSpace(l.inside("uname -r"))
	_, err = l.vagrant("destroy", "-f")
	require.NoError(t, err)
	require.Error(t, virsh("dominfo", filepath.Base(l.dir)+"_default"), "the machine is still there")
	l.document(kernel)
}

// refusesWithoutProgram wants no machine before there is something to run in it.
func (l *lab) refusesWithoutProgram() {
	text, err := os.ReadFile(filepath.Join(l.dir, "Vagrantfile"))
	require.NoError(l, err)
	elsewhere := *l
	elsewhere.log = bytes.Buffer{}
	elsewhere.dir = l.TempDir()
	require.NoError(l, os.WriteFile(filepath.Join(elsewhere.dir, "Vagrantfile"), text, 0o644))
	out, err := elsewhere.vagrant("up")
	require.Error(l, err)
	require.Contains(l, out, "there is no bin/cutaway to copy into the machine\nhint: make build")
}

// greets looks at what a person reads who logs in.
func (l *lab) greets() {
	require.Contains(l, l.inside("bash -lic true 2>/dev/null"), "This machine is for breaking")
	require.NotContains(l, l.inside("true"), "This machine is for breaking", "a command's output is its own")
}

// secondTime provisions again, and no file or directory is another for it.
func (l *lab) secondTime() {
	const list = `sudo find /etc /usr /opt /boot /root /home /var/lib /var/cache -xdev -printf '%p %y %s %m %T@ %C@\n' | ` +
		`grep -vE '^/var/lib/(systemd|sudo|private)' | sort`
	l.inside(list + " >/tmp/before")
	out, err := l.vagrant("provision")
	require.NoError(l, err)
	require.NotContains(l, out, "provision: ")
	require.NotContains(l, out, "packages: ")
	require.Empty(l, l.inside(list+" | diff /tmp/before - || :"))
}

// refusesVersion1 shows provisioning a machine without the unified hierarchy.
func (l *lab) refusesVersion1() {
	out := l.inside("sudo unshare --mount sh -c 'mount -t tmpfs none /sys/fs/cgroup; sh /opt/cutaway/vm/provision.sh vagrant; echo status $?' 2>&1")
	require.Contains(l, out, "control groups: tmpfs is mounted at /sys/fs/cgroup, not cgroup2")
	require.Contains(l, out, "hint: add systemd.unified_cgroup_hierarchy=1 to the kernel's command line")
	require.Contains(l, out, "status 3")
}

// generated is the place of the log in the documentation.
var generated = regexp.MustCompile("(?s)(<!-- generated: make test-vagrant -->\n```\n)(.*?)(```\n<!-- end -->)")

// document compares the log with what stands in the documentation, or puts it
// there.
func (l *lab) document(kernel string) {
	file := filepath.Join(l.dir, "docs", "machines.md")
	text, err := os.ReadFile(file)
	require.NoError(l, err)
	m := generated.FindSubmatchIndex(text)
	require.NotNil(l, m, "there is no place for the log in %s", file)
	fresh := excerpt(kernel, l.log.String())
	if *update {
		text = bytes.Join([][]byte{text[:m[4]], []byte(fresh), text[m[5]:]}, nil)
		require.NoError(l, os.WriteFile(file, text, 0o644))
		return
	}
	require.Equal(l, alike(string(text[m[4]:m[5]])), alike(fresh), "%s is stale: go test ./vm/vagrant -update", file)
}

// excerpt is the end of what each command said that is worth reading.
func excerpt(kernel, log string) string {
	accel := "KVM"
	if emulated() {
		accel = "software emulation"
	}
	out := fmt.Sprintf("Linux %s in the machine, libvirt, %s, %s\n", kernel, accel, time.Now().UTC().Format("2 January 2006"))
	for _, part := range []struct {
		command string
		lines   int
	}{{"vagrant up", 7}, {"vagrant ssh -c 'sudo cutaway tour --auto'", 9}, {"vagrant destroy -f", 2}} {
		_, said, _ := strings.Cut(log, "$ "+part.command+"\n")
		said, _, _ = strings.Cut(said, "\n$ vagrant")
		lines := strings.Split(strings.TrimRight(said, "\n"), "\n")
		out += "\n$ " + part.command + "\n"
		if len(lines) > part.lines {
			out += "...\n"
			lines = lines[len(lines)-part.lines:]
		}
		out += strings.Join(lines, "\n") + "\n"
	}
	return out
}

// alike makes logs of two days and computers comparable.
func alike(log string) string {
	_, log, _ = strings.Cut(log, "\n") // the stamp
	return regexp.MustCompile(`[0-9]+`).ReplaceAllString(log, "N")
}
