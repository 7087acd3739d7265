package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cutaway/sandbox/image"
)

// findBusybox gives the path of a static busybox for arch. In this order: the
// one CUTAWAY_BUSYBOX names; the one kept from an earlier run; Debian's or
// Ubuntu's package, fetched and unpacked here, which asks for no root and
// installs nothing; the host's own.
func findBusybox(ctx context.Context, arch string) (string, error) {
	if os.Getenv("CUTAWAY_BUSYBOX") != "" {
		return image.FindBusybox(arch)
	}
	cache, err := os.UserCacheDir() // XDG_CACHE_HOME, else ~/.cache
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "cutaway", "busybox")
	kept := filepath.Join(dir, "busybox-"+arch)
	if image.CheckBusybox(kept, arch) == nil {
		return kept, nil
	}
	apt := fromApt(ctx, dir, kept, arch)
	if apt == nil {
		return kept, nil
	}
	own, err := image.FindBusybox(arch)
	if err != nil {
		var none *image.NoBusyboxError
		if errors.As(err, &none) {
			none.Facts = append(none.Facts, apt.Error())
		}
		return "", err
	}
	return own, nil
}

// fromApt fetches the package busybox-static and puts its program at kept.
func fromApt(ctx context.Context, dir, kept, arch string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("no apt-get here to fetch one with")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(dir, "apt-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	deb, err := download(ctx, work, "busybox-static:"+arch)
	if err != nil {
		return err
	}
	busybox, err := programInDeb(deb, "bin/busybox")
	if err != nil {
		return err
	}
	if err := replace(kept, busybox, 0o755); err != nil {
		return err
	}
	return image.CheckBusybox(kept, arch)
}

// download fetches a package into dir with the machine's own package lists, or,
// where those are missing or stale or for another architecture, with lists of
// its own: a fresh machine has none, and only root could update them.
func download(ctx context.Context, dir, pkg string) (deb string, err error) {
	direct := apt(ctx, dir, nil, "download", pkg)
	if direct != nil {
		_, arch, _ := strings.Cut(pkg, ":")
		private := []string{
			"Dir::State::lists=" + filepath.Join(dir, "lists"),
			"Dir::Cache=" + filepath.Join(dir, "cache"),
			"APT::Architectures::=" + arch,
			"Acquire::Languages=none",
		}
		for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
				return "", err
			}
		}
		err := apt(ctx, dir, private, "update")
		if err == nil {
			err = apt(ctx, dir, private, "download", pkg)
		}
		if err != nil {
			return "", err
		}
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("apt-get download %s: %d packages instead of one", pkg, len(found))
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// apt runs apt-get in dir, bounded and without anything to read. apt checks
// what it fetches against the signed lists.
func apt(ctx context.Context, dir string, options []string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	argv := []string{"-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"}
	for _, o := range options {
		argv = append(argv, "-o", o)
	}
	cmd := exec.CommandContext(ctx, "apt-get", append(argv, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.WaitDelay = 5 * time.Second // its helpers may hold the pipe open
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	said := strings.TrimSpace(string(out))
	if i := strings.LastIndexByte(said, '\n'); i >= 0 {
		said = said[i+1:]
	}
	return fmt.Errorf("apt-get %s: %w: %s", strings.Join(args, " "), err, said)
}
