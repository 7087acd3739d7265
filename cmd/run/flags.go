package run

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cutaway/sandbox"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"

	"github.com/spf13/pflag"
)

// Flags are the flags of cutaway run, as they were written. The zero value has none
// yet: Define them, and parse a command line.
type Flags struct {
	Name                                    string
	Interactive, TTY, Detach                bool
	Insecure, Plan, Pause                   bool
	Env, EnvFiles, Volumes, Ports, Security []string
	hostname, user, workdir, net, userns    string
	memory, cpus, entrypoint                string
	remove, readonly, privileged            bool
	cpuShares, pids                         int64
	tmpfs, ulimits, capAdd, capDrop         []string
	readBPS, writeBPS, readIOPS, writeIOPS  []string

	set *pflag.FlagSet
}

// Define gives a set these flags.
func (f *Flags) Define(fs *pflag.FlagSet) {
	f.set = fs
	fs.SetInterspersed(false) // what follows IMAGE is the payload's
	fs.BoolVarP(&f.Interactive, "interactive", "i", false, "keep standard input open")
	fs.BoolVarP(&f.TTY, "tty", "t", false, "give the container a terminal of its own")
	fs.BoolVarP(&f.Detach, "detach", "d", false, "run in the background, print the id; cutaway logs has the output")
	fs.BoolVar(&f.remove, "rm", true, "remove the container in the end; it always is")
	fs.StringVar(&f.Name, "name", "", "a `NAME` to find the container by")
	fs.StringArrayVarP(&f.Env, "env", "e", nil, "set `NAME=VALUE` inside, or pass NAME on")
	fs.StringArrayVar(&f.EnvFiles, "env-file", nil, "read NAME=VALUE lines from `FILE`")
	fs.StringArrayVarP(&f.Volumes, "volume", "v", nil, "show `SRC:DST[:ro]`, a file or directory of the host, inside")
	fs.StringArrayVar(&f.tmpfs, "tmpfs", nil, "mount a tmpfs at `DST[:OPTIONS]`")
	fs.StringArrayVarP(&f.Ports, "publish", "p", nil, "lead a port of the host inside: `[IP:]HOST:CONTAINER[/udp]`")
	fs.StringVar(&f.net, "net", "bridge", "`MODE` of the network: bridge, none, host or container:ID")
	fs.StringVar(&f.net, "network", "bridge", "the same as --net")
	fs.StringVar(&f.hostname, "hostname", "", "host `NAME` inside")
	fs.StringVarP(&f.workdir, "workdir", "w", "", "working directory `DIR` inside")
	fs.StringVarP(&f.user, "user", "u", "", "run as `USER[:GROUP]` of the image, names or numbers")
	fs.StringVar(&f.userns, "userns", "", "`host`: do without a user namespace")
	fs.StringVar(&f.entrypoint, "entrypoint", "", "`PROGRAM` in place of the image's entrypoint")
	f.defineLimits(fs)
	fs.BoolVar(&f.Insecure, "insecure", false, "allow plain HTTP and unverified TLS for the pull")
	fs.BoolVar(&f.Plan, "plan", false, "show what would be done, and do nothing of it")
	fs.BoolVar(&f.Pause, "pause", false, "stop before each step")
}

func (f *Flags) defineLimits(fs *pflag.FlagSet) {
	fs.StringVarP(&f.memory, "memory", "m", "", "limit memory to `SIZE`: 64m")
	fs.StringVar(&f.cpus, "cpus", "", "limit processor time to `N` processors: 1.5")
	fs.Int64Var(&f.cpuShares, "cpu-shares", 0, "`SHARE` of a busy processor; 1024 is ordinary")
	fs.Int64Var(&f.pids, "pids-limit", 0, "limit processes and threads to `N`")
	fs.StringArrayVar(&f.readBPS, "device-read-bps", nil, "read at most `DISK:SIZE` a second: /dev/sda:1mb")
	fs.StringArrayVar(&f.writeBPS, "device-write-bps", nil, "write at most `DISK:SIZE` a second")
	fs.StringArrayVar(&f.readIOPS, "device-read-iops", nil, "read at most `DISK:N` times a second")
	fs.StringArrayVar(&f.writeIOPS, "device-write-iops", nil, "write at most `DISK:N` times a second")
	fs.StringArrayVar(&f.ulimits, "ulimit", nil, "a resource limit of the payload: `NAME=SOFT[:HARD]`")
	fs.StringArrayVar(&f.capAdd, "cap-add", nil, "add a `CAPABILITY`, or all")
	fs.StringArrayVar(&f.capDrop, "cap-drop", nil, "drop a `CAPABILITY`, or all")
	fs.StringArrayVar(&f.Security, "security-opt", nil, "`OPTION`: no-new-privileges=false, seccomp=unconfined, seccomp=FILE")
	fs.BoolVar(&f.readonly, "read-only", false, "mount the root filesystem read-only")
	fs.BoolVar(&f.privileged, "privileged", false, "refused: name what you need instead")
}

// Wish turns the flags, and the words after the image, into what they ask for.
func (f *Flags) Wish(l *sandbox.Lab, args []string) (buildup.Wish, error) {
	w := buildup.Wish{Args: args, Cwd: f.workdir, User: f.user, Hostname: f.hostname, Terminal: f.TTY, Readonly: f.readonly,
		HostUsers: f.userns == "host", CapAdd: f.capAdd, CapDrop: f.capDrop}
	if f.set.Changed("entrypoint") {
		w.Entrypoint = &f.entrypoint
	}
	err := errors.Join(f.Sane(), f.environment(&w), f.mounts(&w), f.network(&w, l), f.limits(&w), f.securityOptions(&w))
	return w, err
}

// isName reports whether docker would allow that as the name of a container:
// [a-zA-Z0-9][a-zA-Z0-9_.-]*. An expression would have to be compiled each time.
func isName(text string) bool {
	for i, c := range []byte(text) {
		word := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !word && (i == 0 || !strings.ContainsRune("_.-", rune(c))) {
			return false
		}
	}
	return text != ""
}

// Sane refuses flags that contradict each other or promise what is not there.
func (f *Flags) Sane() error {
	bad := func(fact, advice string) error {
		return &UsageError{What: "read the flags of " + verb, Fact: fact, Advice: advice, Path: verb}
	}
	switch {
	case f.privileged:
		return bad("--privileged would switch off every wall at once, and show none of them",
			"name what you need: --cap-add, --security-opt seccomp=unconfined, --userns host, -v")
	case f.userns != "" && f.userns != "host":
		return bad("--userns "+f.userns+": there is only host, or nothing for a user namespace of its own", "")
	case f.Detach && (f.TTY || f.Interactive || f.Pause):
		return bad("-d leaves nobody at the terminal for -i, -t or --pause", "")
	case f.TTY && !Person():
		return bad("-t wants a terminal, and standard input or output is none", "leave -t out, or run it from a terminal")
	case f.TTY && !f.Interactive:
		return bad("-t without -i: a terminal that nobody can type on", "-it")
	case f.Name != "" && !isName(f.Name):
		return bad(fmt.Sprintf("--name %q: a name is letters, digits, _ . and -", f.Name), "")
	case f.hostname != "" && !isName(f.hostname):
		return bad(fmt.Sprintf("--hostname %q: a name is letters, digits, . and -", f.hostname), "")
	case !f.remove:
		return bad("--rm=false: a container is always removed when it ends", "keep files with -v")
	}
	return nil
}

// verb is the command whose --help says more.
const verb = "cutaway run"

// flagValue is the error of one flag's value.
func flagValue(flag, value, want string) error {
	return &UsageError{What: "read --" + flag, Fact: fmt.Sprintf("%q: want %s", value, want), Path: verb}
}

// environment reads -e and --env-file; -e wins.
func (f *Flags) environment(w *buildup.Wish) error {
	var lines []string
	for _, from := range f.EnvFiles {
		file, err := os.Open(from)
		if err != nil {
			return fmt.Errorf("read --env-file: %w", err)
		}
		defer file.Close()
		s := bufio.NewScanner(file)
		s.Buffer(nil, 1<<20) // bytes of a line, more than the kernel lets a program have
		for s.Scan() {
			line := strings.TrimLeft(s.Text(), " \t") // what a value ends with is the value's
			if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if name, _, _ := strings.Cut(line, "="); strings.ContainsAny(name, " \t") || strings.Contains(line, "\x00") {
				return flagValue("env-file "+from, line, "NAME=VALUE, with no blanks in the name and no NUL")
			}
			lines = append(lines, line)
		}
		if err := s.Err(); err != nil {
			return fmt.Errorf("read --env-file %s: %w", from, err)
		}
	}
	for _, e := range append(lines, f.Env...) {
		name, _, given := strings.Cut(e, "=")
		if name == "" {
			return flagValue("env", e, "NAME=VALUE, or NAME to pass it on")
		}
		if !given {
			value, set := os.LookupEnv(name)
			if !set {
				continue
			}
			e = name + "=" + value
		}
		w.Env = append(w.Env, e)
	}
	return nil
}

// mounts reads -v and --tmpfs.
func (f *Flags) mounts(w *buildup.Wish) error {
	for _, v := range f.Volumes {
		parts := strings.Split(v, ":")
		if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || !filepath.IsAbs(parts[1]) || len(parts) == 3 && parts[2] != "ro" && parts[2] != "rw" {
			return flagValue("volume", v, "SRC:DST or SRC:DST:ro, with an absolute DST")
		}
		source, err := filepath.Abs(parts[0])
		if err != nil {
			return err
		}
		st, err := os.Stat(source)
		if err != nil {
			return fmt.Errorf("find volume: %w", err)
		}
		w.Mounts = append(w.Mounts, plan.Mount{Type: "bind", Source: source, Destination: filepath.Clean(parts[1]),
			Readonly: len(parts) == 3 && parts[2] == "ro", File: !st.IsDir()})
	}
	for _, t := range f.tmpfs {
		dst, options, _ := strings.Cut(t, ":")
		if !filepath.IsAbs(dst) {
			return flagValue("tmpfs", t, "an absolute directory, and options like size=64m,mode=1777")
		}
		w.Mounts = append(w.Mounts, plan.Mount{Type: "tmpfs", Destination: filepath.Clean(dst), Data: options})
	}
	for _, m := range w.Mounts {
		if slices.Contains([]string{"/", "/dev", "/proc"}, m.Destination) || strings.HasPrefix(m.Destination, "/proc/") {
			return flagValue("volume or --tmpfs", m.Destination, "another place: / is the image's, /proc the kernel's, /dev what every container has")
		}
	}
	return nil
}

// securityOptions reads --security-opt.
func (f *Flags) securityOptions(w *buildup.Wish) error {
	for _, o := range f.Security {
		name, value, _ := strings.Cut(strings.Replace(o, ":", "=", 1), "=")
		switch {
		case name == "no-new-privileges" && (value == "" || value == "true"):
			w.MayGain = false
		case name == "no-new-privileges" && value == "false":
			w.MayGain = true
		case name == "seccomp" && value == "unconfined":
			w.Unconfined = true
		case name == "seccomp" && value != "":
			text, err := readProfile(value)
			if err != nil {
				return fmt.Errorf("read seccomp profile: %w", err)
			}
			w.Seccomp = &op.SeccompProfile{}
			if err := json.Unmarshal(text, w.Seccomp); err != nil || w.Seccomp.DefaultAction == "" {
				return flagValue("security-opt", o, "a profile as in the OCI runtime-spec, with a defaultAction")
			}
		default:
			return flagValue("security-opt", o, "no-new-privileges[=false], seccomp=unconfined or seccomp=FILE")
		}
	}
	return nil
}

// readProfile reads a seccomp profile, of which a few KiB are usual.
func readProfile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, 1<<20))
}
