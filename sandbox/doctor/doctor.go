// Package doctor tells whether this machine can run the lab, and where it
// cannot, why and what to do about it.
//
// Its one invariant: it only looks. Nothing is mounted, loaded or created to
// find something out, so anybody may ask, at any time. Read this file, then
// kernel.go (what the kernel has and forbids) and place.go (where the lab keeps
// its files).
package doctor

import (
	"context"
	"errors"
	"fmt"
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

// Finding is one thing looked at.
type Finding struct {
	Check string `json:"check"` // "user namespaces"
	Level Level  `json:"level"`
	Found string `json:"found"`           // the fact
	Cause string `json:"cause,omitempty"` // what follows from it, where not all is fine
	Fix   string `json:"fix,omitempty"`   // what to do, as a command where there is one
}

// Machine is what the doctor is told about the lab.
type Machine struct {
	Features  features.Features
	State     string // where the lab keeps images and root filesystems
	Installed func(context.Context) (lacking, fix string, err error)
}

// Examine looks at everything, in the order in which it is worth repairing.
func Examine(ctx context.Context, m Machine) []Finding {
	findings := []Finding{m.kernel(), m.root(), m.nesting()}
	findings = append(findings, m.namespaces()...)
	findings = append(findings, m.cgroups())
	findings = append(findings, m.drivers()...)
	findings = append(findings, m.state(), m.space(), runtimeDir())
	return append(findings, embedded(), builtIn(), m.programs(ctx))
}

// Sound reports whether the lab can run with these findings.
func Sound(findings []Finding) bool {
	for _, f := range findings {
		if f.Level == Broken {
			return false
		}
	}
	return true
}

func fine(check, format string, args ...any) Finding {
	return Finding{Check: check, Level: Fine, Found: fmt.Sprintf(format, args...)}
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
func builtIn() Finding {
	const check = "built-in image"
	img, err := image.BuiltIn()
	if err != nil {
		f := Finding{Check: check, Level: Broken, Found: err.Error(), Cause: "the stages have no root filesystem to use", Fix: "make build"}
		var busybox *image.NoBusyboxError
		if errors.As(err, &busybox) {
			f.Fix = busybox.Hint()
		}
		return f
	}
	layers, err := img.Layers()
	if err != nil {
		return Finding{Check: check, Level: Broken, Found: err.Error(), Cause: "the embedded image is damaged", Fix: "make clean build"}
	}
	return fine(check, "embedded, %d layers", len(layers))
}

// programs looks for what the lab calls.
func (m Machine) programs(ctx context.Context) Finding {
	const check = "programs"
	lacking, fix, err := m.Installed(ctx)
	switch {
	case err != nil:
		return Finding{Check: check, Level: Limited, Found: err.Error(), Cause: "it is not known whether a program is missing"}
	case lacking != "":
		return Finding{Check: check, Level: Limited, Found: "not here: " + strings.Join(strings.Fields(lacking), ", "),
			Cause: "kernel modules that are not loaded stay so", Fix: fix}
	}
	return fine(check, "all that the lab calls are here")
}
