// Package doctor tells whether this machine can run the lab, and where it
// cannot, why and what to do about it.
//
// Its one invariant: it only looks. Nothing is mounted, loaded or created on this
// machine to find something out, so anybody may ask, at any time. (Whether KVM
// works only a guest can tell: one is booted, once for each boot of the machine,
// for four seconds at most.)
//
// Read this file, then fix.go (the fix on each distribution), surroundings.go
// (what kind of machine this is), microvm.go (the disposable machine), kernel.go,
// namespaces.go, cgroups.go, drivers.go (what the kernel has and forbids) and
// place.go (where the lab keeps its files).
package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cutaway/sandbox/features"
	"cutaway/sandbox/image"
	"cutaway/sandbox/initbin"
)

// Level is how bad a finding is.
type Level string

// The levels. Limited costs some stages, or what only root can do; with one
// Broken the lab does not run.
const (
	Fine    Level = "ok"
	Limited Level = "limited"
	Broken  Level = "broken"
)

// Place is where containers are built that a finding is about.
type Place string

// The places. What is broken in one of them leaves the other.
const (
	Anywhere Place = ""
	MicroVM  Place = "microvm"
	Host     Place = "host"
)

// Finding is one thing looked at.
type Finding struct {
	Place Place  `json:"place,omitempty"`
	Check string `json:"check"` // "user namespaces"
	Level Level  `json:"level"`
	Found string `json:"found"`           // the fact
	Cause string `json:"cause,omitempty"` // what follows from it, where not all is fine
	Fix   string `json:"fix,omitempty"`   // what to do, as a command where there is one
}

// Machine is what the doctor is told about the lab.
type Machine struct {
	Features features.Features
	Root     string // where /proc, /sys and /lib/modules are: "/", but for one recorded
	State    string // where the lab keeps images and root filesystems
	Cache    string // where it keeps guest kernels
	Lab      bool   // made for the lab: containers are built on it, not in a microVM
	Packages Packages
	Guests   Guests
}

// Packages knows programs and their packages, by groups that go together.
type Packages interface {
	// Manager names the package manager: apt, dnf, apk, pacman, brew or none.
	Manager() System
	// Lacking says which programs of a group are not here; "" is none.
	Lacking(ctx context.Context, group string) (string, error)
	// Install gives the command that installs a group.
	Install(ctx context.Context, group string) (string, error)
}

// Examine looks at everything, in the order in which it is worth repairing.
func Examine(ctx context.Context, m Machine) []Finding {
	var findings []Finding
	add := func(place Place, more ...Finding) {
		for _, f := range more {
			f.Place = place
			if f.Level != Fine && m.Packages.Manager() == macOS {
				f.Fix = onMacOS
			}
			findings = append(findings, f)
		}
	}
	add(Anywhere, m.surroundings(), embedded(), m.builtIn(ctx), m.state(), m.space())
	if !m.Lab {
		add(MicroVM, m.emulator(ctx), m.guestKernel(ctx), m.acceleration(ctx), m.cache())
	}
	add(Host, m.kernel(), m.privileges(), m.namespaces())
	add(Host, m.switches()...)
	add(Host, m.cgroups())
	add(Host, m.drivers(ctx)...)
	add(Host, runtimeDir(), m.programs(ctx))
	return findings
}

// Sound reports whether the lab can run with these findings: in one place or the
// other.
func Sound(findings []Finding) bool {
	broken := map[Place]bool{}
	lab := true
	for _, f := range findings {
		broken[f.Place] = broken[f.Place] || f.Level == Broken
		lab = lab && f.Place != MicroVM
	}
	return !broken[Anywhere] && !(broken[Host] && (broken[MicroVM] || lab))
}

func fine(check, format string, args ...any) Finding {
	return Finding{Check: check, Level: Fine, Found: fmt.Sprintf(format, args...)}
}

// read gives the content of a file of the machine, without the space around it;
// ok is false if it has no such file.
func (m Machine) read(path string) (text string, ok bool) {
	b, err := os.ReadFile(filepath.Join(m.Root, path))
	return strings.TrimSpace(string(b)), err == nil
}

// embedded looks for the program that becomes PID 1.
func embedded() Finding {
	const check = "init"
	if _, err := initbin.Program(); err != nil {
		return Finding{Check: check, Level: Broken, Found: err.Error(), Cause: "without it no container can be started", Fix: "make build"}
	}
	return fine(check, "embedded")
}

// builtIn looks for the embedded image.
func (m Machine) builtIn(ctx context.Context) Finding {
	const check = "built-in image"
	img, err := image.BuiltIn()
	if err != nil {
		return Finding{Check: check, Level: Broken, Found: err.Error(), Cause: "the stages have no root filesystem to use",
			Fix: m.install(ctx, "busybox")}
	}
	layers, err := img.Layers()
	if err != nil {
		return Finding{Check: check, Level: Broken, Found: err.Error(), Cause: "the embedded image is damaged", Fix: "make clean build"}
	}
	return fine(check, "here, %d layers", len(layers))
}

// programs looks for what the lab calls.
func (m Machine) programs(ctx context.Context) Finding {
	const check = "programs"
	lacking, err := m.Packages.Lacking(ctx, "lab")
	switch {
	case err != nil:
		return Finding{Check: check, Level: Limited, Found: err.Error(), Cause: "it is not known whether a program is missing",
			Fix: m.install(ctx, "lab")}
	case lacking != "":
		return Finding{Check: check, Level: Limited, Found: "not here: " + strings.Join(strings.Fields(lacking), ", "),
			Cause: "kernel modules that are not loaded stay so", Fix: m.install(ctx, "lab")}
	}
	return fine(check, "all that the lab calls are here")
}
