package vm

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Package names are written down in packages.sh and nowhere else; this file only
// asks it.
//
//go:embed packages.sh
var packages string

// Packages asks packages.sh. Its zero value is about this machine; one with a
// System answers for another: apt, dnf, apk, pacman or brew.
type Packages struct{ System string }

// Install gives the command that installs a group of programs, such as `sudo
// apt-get install -y --no-install-recommends strace`. It runs nothing of it.
func (p Packages) Install(ctx context.Context, group string) (string, error) {
	return p.ask(ctx, "name", group)
}

// Lacking says which programs of the group are not on PATH; "" is none.
func (p Packages) Lacking(ctx context.Context, group string) (string, error) {
	return p.ask(ctx, "missing", group)
}

// Manager names the package manager: one of those above, or none.
func (p Packages) Manager(ctx context.Context) (string, error) {
	return p.ask(ctx, "manager")
}

// InstallCommand gives the command that installs a group on this machine.
func InstallCommand(ctx context.Context, group string) (string, error) {
	return Packages{}.Install(ctx, group)
}

// ask runs the embedded script, whose stdin is the script itself: it reads
// nothing else.
func (p Packages) ask(ctx context.Context, verb string, groups ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-s", verb}, groups...)...)
	cmd.Stdin = strings.NewReader(packages)
	if p.System != "" {
		cmd.Env = append(os.Environ(), "PACKAGES_FOR="+p.System)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said, _, _ := strings.Cut(stderr.String(), "\n")
		return "", fmt.Errorf("run packages.sh %s %s: %w: %s", verb, strings.Join(groups, " "), err, said)
	}
	return strings.TrimSpace(stdout.String()), nil
}
