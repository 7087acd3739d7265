package deb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// limit bounds one call of apt.
const limit = 5 * time.Minute

// Source is a place packages come from: one stanza of sources.list(5).
type Source struct {
	URI        string // http://deb.debian.org/debian
	Suite      string // bookworm
	Components string // main
	SignedBy   string // the keyring's file; "": the machine's trusted keys
}

// Apt fetches packages into Dir, which exists and is the caller's own. Its zero
// value otherwise uses the package lists the machine has.
type Apt struct {
	Dir  string
	Arch string // as Debian names it, which is as GOARCH does: amd64, arm64
	// Own keeps lists in Dir instead, to be filled by Update: a fresh machine
	// has none, and only root could fetch them for the machine.
	Own bool
	// Sources stand in for the machine's own; they imply Own.
	Sources []Source
	// Progress, when set, is told what is being fetched and how far, in percent.
	Progress func(what string, percent float64)
}

// Update fetches the package lists into Dir.
func (a *Apt) Update(ctx context.Context) error {
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.Dir, sub), 0o755); err != nil {
			return err
		}
	}
	if len(a.Sources) > 0 {
		if err := os.WriteFile(a.sourceFile(), stanzas(a.Sources), 0o644); err != nil {
			return err
		}
	}
	_, err := a.run(ctx, "apt-get", "update")
	return err
}

// Download fetches one package and returns the file.
func (a *Apt) Download(ctx context.Context, pkg string) (string, error) {
	if _, err := a.run(ctx, "apt-get", "download", pkg+":"+a.Arch); err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(a.Dir, pkg+"_*.deb"))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("apt-get download %s: %d packages instead of one", pkg, len(found))
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// Depends names the packages that the newest version of pkg depends on.
func (a *Apt) Depends(ctx context.Context, pkg string) ([]string, error) {
	out, err := a.run(ctx, "apt-cache", "depends", "--no-recommends", "--no-suggests",
		"--no-breaks", "--no-conflicts", "--no-replaces", "--no-enhances", pkg+":"+a.Arch)
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: "); ok {
			name, _, _ = strings.Cut(name, ":") // the architecture, if it is a foreign one
			names = append(names, name)
		}
	}
	return names, nil
}

// Targets lists the sources this machine is configured with: apt-get(8),
// indextargets. Those whose lists have never been fetched are among them only
// when nothing is asked that stands in the lists.
func Targets(ctx context.Context) ([]Source, error) {
	out, err := (&Apt{}).run(ctx, "apt-get", "indextargets",
		"--no-release-info", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
	var sources []Source
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 3 {
			sources = append(sources, Source{URI: f[0], Suite: f[1], Components: f[2]})
		}
	}
	return sources, err
}

func (a *Apt) sourceFile() string { return filepath.Join(a.Dir, "cutaway.sources") }

// stanzas writes sources in the form of sources.list(5), DEB822-STYLE FORMAT.
func stanzas(sources []Source) []byte {
	var b strings.Builder
	for _, s := range sources {
		fmt.Fprintf(&b, "Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\n", s.URI, s.Suite, s.Components)
		if s.SignedBy != "" {
			fmt.Fprintf(&b, "Signed-By: %s\n", s.SignedBy)
		}
		b.WriteString("\n")
	}
	return []byte(b.String())
}

// options turn the machine's configuration into one of Dir's own.
func (a *Apt) options() []string {
	options := []string{"Acquire::Retries=1", "Acquire::http::Timeout=20", "APT::Sandbox::User=root"}
	if a.Own || len(a.Sources) > 0 {
		options = append(options,
			"Dir::State::lists="+filepath.Join(a.Dir, "lists"),
			"Dir::Cache="+filepath.Join(a.Dir, "cache"),
			"APT::Architectures::="+a.Arch,
			"Acquire::Languages=none",
			"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
			"Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled=false",
			"Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled=false",
			"Acquire::IndexTargets::deb::DEP-11-icons-hidpi::DefaultEnabled=false",
			"Acquire::IndexTargets::deb::CNF::DefaultEnabled=false",
		)
	}
	if len(a.Sources) > 0 {
		options = append(options, "Dir::Etc::SourceList="+a.sourceFile(), "Dir::Etc::SourceParts=/dev/null")
	}
	return options
}

// run runs a program of apt in Dir, bounded and without anything to read, and
// returns what it printed.
func (a *Apt) run(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var argv []string
	for _, o := range a.options() {
		argv = append(argv, "-o", o)
	}
	argv = append(argv, "-qq")
	status, told, err := a.status(&argv)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, program, append(argv, args...)...)
	cmd.Dir = a.Dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.WaitDelay = 5 * time.Second // its helpers may hold the pipe open
	if status != nil {
		cmd.ExtraFiles = []*os.File{status}
	}
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	if status != nil {
		status.Close()
		<-told
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("no %s here to fetch packages with", program)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, lastLine(said.String()))
	}
	return out.String(), nil
}

// status opens descriptor 3 of apt for its progress, when somebody wants it:
// lines such as "dlstatus:1:20.5:Retrieving file 1 of 1". told is closed when
// all has been read.
func (a *Apt) status(argv *[]string) (w *os.File, told chan struct{}, err error) {
	if a.Progress == nil {
		return nil, nil, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	*argv = append(*argv, "-o", "APT::Status-Fd=3")
	told = make(chan struct{})
	go func() {
		defer close(told)
		defer r.Close()
		for lines := bufio.NewScanner(r); lines.Scan(); {
			f := strings.SplitN(lines.Text(), ":", 4)
			if percent, err := strconv.ParseFloat(f[min(2, len(f)-1)], 64); err == nil && len(f) == 4 {
				a.Progress(f[3], percent)
			}
		}
		_, _ = io.Copy(io.Discard, r) // so that apt never waits for a reader
	}()
	return w, told, nil
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
