package vm

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Package names are written down in packages.sh and nowhere else; this file only
// asks it.
//
//go:embed packages.sh
var packages string

// InstallCommand gives the command that installs groups of programs here, such
// as `sudo apt-get install -y --no-install-recommends strace`. It runs nothing
// of it.
func InstallCommand(ctx context.Context, groups ...string) (string, error) {
	return ask(ctx, "name", groups)
}

// Lacking says which programs of the groups are not on PATH; "" is none.
func Lacking(ctx context.Context, groups ...string) (string, error) {
	return ask(ctx, "missing", groups)
}

// ask runs the embedded script, whose stdin is the script itself: it reads
// nothing else.
func ask(ctx context.Context, verb string, groups []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-s", verb}, groups...)...)
	cmd.Stdin = strings.NewReader(packages)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said, _, _ := strings.Cut(stderr.String(), "\n")
		return "", fmt.Errorf("run packages.sh %s %s: %w: %s", verb, strings.Join(groups, " "), err, said)
	}
	return strings.TrimSpace(stdout.String()), nil
}
