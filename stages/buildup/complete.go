package buildup

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"cutaway/sandbox/features"
	"cutaway/sandbox/image/store"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/profile"
	"cutaway/sandbox/sys"
)

// Wish is what a person wants of a container beyond what its image says: the
// flags of cutaway run, as data. The zero Wish changes nothing.
type Wish struct {
	Args       []string // in place of the image's Cmd
	Entrypoint *string  // in place of the image's Entrypoint; its Cmd goes too
	Env        []string // NAME=value
	Cwd        string
	User       string // user[:group], names or numbers
	Hostname   string
	Terminal   bool

	Net     string // bridge, none, host or container; "" is bridge
	NetPath string // for container: its /proc/PID/ns/net
	Ports   []op.Port

	Mounts    []plan.Mount
	Readonly  bool
	HostUsers bool // no user namespace

	Resources plan.Resources
	Rlimits   []plan.Rlimit

	CapAdd, CapDrop []string // with or without CAP_; ALL
	MayGain         bool     // do without no_new_privs
	Unconfined      bool     // do without a seccomp filter
	Seccomp         *op.SeccompProfile
}

// WishError says that a wish makes no sense.
type WishError struct{ What, Fact string }

func (e *WishError) Error() string { return e.What + ": " + e.Fact }

// NotRootError says that an ordinary user cannot have something, and what works
// without root.
type NotRootError struct{ What, Instead string }

func (e *NotRootError) Error() string { return "make the container: " + e.What + " needs root" }

// Hint names the rootless way.
func (e *NotRootError) Hint() string { return "without root: " + e.Instead }

// Complete is the container of the last stage, with an image's own config and
// what was wished for in addition. Limits, ports and the jump of the clock,
// which the stages have for show, are left out.
func Complete(m Materials, w Wish) (plan.Spec, error) {
	s, err := w.born(m)
	return s, errors.Join(err, w.process(&s, m), w.privileges(&s, m), w.ordinary(s, m.Features))
}

// Early is as much of a complete container as follows without its image.
func Early(f features.Features, w Wish) (plan.Spec, error) {
	m := Materials{Features: f}
	m.Map()
	s, err := w.born(m)
	return s, errors.Join(err, w.ordinary(s, f))
}

// born is the container but for what its image has a say in.
func (w Wish) born(m Materials) (plan.Spec, error) {
	s := Container.Spec(m)
	// Where the last stages cannot be played there is no other root either, and the
	// Plan says what the kernel lacks.
	s.Root.From, s.Root.Lower = "", m.Layers
	s.Linux.Resources, s.Linux.TimeOffset, s.Net.Ports = w.Resources, 0, w.Ports
	s.Root.Readonly = w.Readonly
	s.Mounts = w.Mounts
	s.Process.Rlimits = append(s.Process.Rlimits, w.Rlimits...)
	if w.Hostname != "" {
		s.Hostname = w.Hostname
	}
	s.Domainname = ""
	if w.HostUsers {
		s.Drop("user")
		s.Linux.UIDMappings, s.Linux.GIDMappings = nil, nil
	}
	return s, w.network(&s)
}

// process settles what runs, as whom and where: image-spec config.md.
func (w Wish) process(s *plan.Spec, m Materials) error {
	entry, args := m.Config.Entrypoint, m.Config.Cmd
	if w.Entrypoint != nil {
		entry, args = nil, nil
		if *w.Entrypoint != "" {
			entry = []string{*w.Entrypoint}
		}
	}
	if len(w.Args) > 0 {
		args = w.Args
	}
	p := &s.Process
	p.Args = append(slices.Clone(entry), args...)
	if len(p.Args) == 0 {
		return &WishError{"run the image", "it names no program, and none is given"}
	}
	p.Cwd = m.Config.WorkingDir
	if w.Cwd != "" {
		p.Cwd = w.Cwd
	}
	name := m.Config.User
	if !m.Features.Root() {
		name = "" // an ordinary user can map but one id: whoever the image wants to be is root inside, and nobody else outside
	}
	if w.User != "" {
		name = w.User
	}
	user, err := store.FindUser(m.Layers, name)
	if err != nil {
		return err
	}
	p.User = plan.User{UID: user.UID, GID: user.GID, AdditionalGids: user.Groups}
	home := user.Home
	if home == "" {
		home = "/"
	}
	p.Env = Merge([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home}, m.Config.Env, w.Env)
	if w.Terminal {
		p.Env = Merge([]string{"TERM=xterm"}, p.Env)
	}
	return nil
}

// Merge puts lists of NAME=value together; a later value of a name wins.
func Merge(lists ...[]string) []string {
	var env []string
	for _, list := range lists {
		for _, e := range list {
			name, _, _ := strings.Cut(e, "=")
			env = slices.DeleteFunc(env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
			env = append(env, e)
		}
	}
	return env
}

// network connects the container. The host's own names and resolvers hold where
// the network is the host's.
func (w Wish) network(s *plan.Spec) error {
	s.Net.Mode = w.Net
	switch w.Net {
	case "", "bridge":
		s.Net.Mode = "bridge"
		s.Add("network")
	case "none":
		s.Add("network")
	case "host", "container":
		s.Drop("network")
		if w.NetPath != "" {
			s.Join("network", w.NetPath)
		}
		for file, text := range map[string]*string{"/etc/resolv.conf": &s.Net.Resolv, "/etc/hosts": &s.Net.Hosts} {
			b, err := os.ReadFile(file)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("read the host's resolver: %w", err)
			}
			*text = string(b)
		}
	default:
		return &WishError{"connect the container", "--net " + w.Net + " is none of bridge, none, host, container:ID"}
	}
	if len(w.Ports) > 0 && s.Net.Mode != "bridge" {
		return &WishError{"publish a port", "only a container on the bridge has an address to lead to, not one with --net " + w.Net}
	}
	return nil
}

// privileges settles capabilities and the filter, which knows of them.
func (w Wish) privileges(s *plan.Spec, m Materials) error {
	p := &s.Process
	if w.HostUsers { // then a node made inside opens the host's disk
		w.CapDrop = append([]string{"MKNOD"}, w.CapDrop...)
	}
	caps, err := w.capabilities(m.Features.LastCap)
	if err != nil {
		return err
	}
	p.Restrict, p.Capabilities = true, caps
	p.NoNewPrivileges = !w.MayGain
	switch {
	case w.Unconfined:
		s.Linux.Seccomp = nil
	case w.Seccomp != nil:
		s.Linux.Seccomp = w.Seccomp
	case !slices.Equal(caps, Capabilities) && m.Seccomp != nil:
		filter, err := profile.Default(caps, m.Features.Kernel)
		if err != nil {
			return err
		}
		s.Linux.Seccomp = &filter
	}
	return nil
}

// capabilities are the default ones, less what is dropped, and what is added;
// adding all of them means those that are not dropped.
func (w Wish) capabilities(last int) ([]string, error) {
	drop, err := named(w.CapDrop, last, nil)
	if err != nil {
		return nil, err
	}
	add, err := named(w.CapAdd, last, drop)
	if err != nil {
		return nil, err
	}
	caps := slices.DeleteFunc(slices.Clone(Capabilities), func(c string) bool { return slices.Contains(drop, c) })
	for _, c := range add {
		if !slices.Contains(caps, c) {
			caps = append(caps, c)
		}
	}
	return caps, nil
}

// named gives capabilities their full names; all stands for every one up to
// last but those in except.
func named(words []string, last int, except []string) (names []string, err error) {
	for _, word := range words {
		if strings.EqualFold(word, "all") {
			for n := range last + 1 {
				if name := sys.CapName(n); !slices.Contains(except, name) {
					names = append(names, name)
				}
			}
			continue
		}
		n, ok := sys.CapNumber(word)
		if !ok || n > last {
			return nil, &WishError{"read a capability", word + " is none of this kernel's, see capabilities(7)"}
		}
		names = append(names, sys.CapName(n))
	}
	return names, nil
}

// ordinary refuses what an ordinary user cannot have, with the way that works.
func (w Wish) ordinary(s plan.Spec, f features.Features) error {
	if f.Root() {
		return nil
	}
	lacks := func(what, instead string) error { return &NotRootError{what, instead} }
	u := s.Process.User
	switch {
	case s.Net.Mode == "bridge":
		return lacks("a link on the host's bridge", "--net none or --net host")
	case s.Net.Mode == "container":
		return lacks("another container's network", "--net none or --net host")
	case w.HostUsers:
		return lacks("a container without a user namespace", "leave --userns out")
	case len(w.Resources.Files(features.Unified)) > 0:
		return lacks("a control group", "no limits but --ulimit")
	case u.UID != 0 || u.GID != 0:
		return lacks("a second user in the container", "--user 0:0: only uid 0 exists inside, and it is you")
	}
	return nil
}
