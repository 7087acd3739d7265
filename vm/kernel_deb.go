package vm

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"cutaway/vm/deb"
)

// fetchError says that a kernel could not be had from the distribution.
type fetchError struct{ err error }

func (e *fetchError) Error() string { return e.err.Error() }
func (e *fetchError) Unwrap() error { return e.err }

// releases are Debian's, by the series of the kernel they came out with.
var releases = map[string]string{"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie"}

// debianKeys is what Debian's releases are signed with.
const debianKeys = "/usr/share/keyrings/debian-archive-keyring.gpg"

// debian are its archives, for systems that have others: Ubuntu, say, whose
// kernels only root may read.
var debian = []deb.Source{
	{URI: "http://deb.debian.org/debian", Suite: "stable", Components: "main"},
	{URI: "http://security.debian.org/debian-security", Suite: "stable-security", Components: "main"},
}

// fetchRoom is what package lists, a package and what is in it take meanwhile,
// in bytes.
const fetchRoom = 300 << 20

// packaged gives Debian's cloud kernel, out of the cache if it is there. Each
// kernel is in a directory called after its version; a link called after what
// was asked for points to it.
func packaged(ctx context.Context, cache string, want KernelSource) (*Kernel, error) {
	name := filepath.Join(cache, cmp.Or(want.Series, "default")+"-"+want.Arch)
	if k := cached(name, want.Arch); k != nil {
		return k, nil
	}
	release, err := alone(ctx, cache)
	if err != nil {
		return nil, err
	}
	defer release()
	if k := cached(name, want.Arch); k != nil { // whoever was first has fetched it
		return k, nil
	}
	work, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return nil, withRoom(cache, err)
	}
	defer os.RemoveAll(work)
	if err := needRoom(cache, fetchRoom); err != nil {
		return nil, err
	}
	file, err := fetchKernel(ctx, work, want)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("fetch a kernel: %w", context.Cause(ctx))
	}
	if err != nil {
		return nil, &fetchError{err}
	}
	if want.Progress != nil {
		want.Progress("unpacking "+filepath.Base(file), -1)
	}
	unpacked := filepath.Join(work, "kernel")
	version, err := unpackKernel(file, unpacked)
	if err != nil {
		return nil, withRoom(cache, err)
	}
	// Whole or not at all; another series may have given the same.
	dir := filepath.Join(cache, version)
	if err := os.Rename(unpacked, dir); err != nil && cached(dir, want.Arch) == nil {
		return nil, err
	}
	if err := link(version, name); err != nil {
		return nil, err
	}
	if k := cached(name, want.Arch); k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("unpack %s: no kernel in it", filepath.Base(file))
}

// link makes or replaces the symbolic link name, which points to target.
func link(target, name string) error {
	fresh := fmt.Sprintf("%s.new-%d", name, os.Getpid())
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, name); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return nil
}

// cached is the kernel in dir, or nil.
func cached(dir, arch string) *Kernel {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil
	}
	k := &Kernel{Version: filepath.Base(dir), Arch: arch, Image: filepath.Join(dir, "vmlinuz"), Modules: filepath.Join(dir, "modules")}
	if _, err := os.Stat(k.Image); err != nil {
		return nil
	}
	return k
}

// fetchKernel downloads the package of a kernel into work. What it is called
// changes with each security update; a package without files depends on it.
func fetchKernel(ctx context.Context, work string, want KernelSource) (string, error) {
	sources, err := kernelSources(ctx, want.Series)
	if err != nil {
		return "", err
	}
	apt := &deb.Apt{Dir: work, Arch: want.Arch, Sources: sources}
	if want.Progress != nil {
		apt.Progress = func(_ string, percent float64) { want.Progress("fetching Debian's package lists", percent) }
	}
	if err := apt.Update(ctx); err != nil {
		return "", err
	}
	apt.Progress = nil
	meta := "linux-image-cloud-" + want.Arch
	depends, err := apt.Depends(ctx, meta)
	if err != nil {
		return "", err
	}
	for _, name := range depends {
		if strings.HasPrefix(name, "linux-image-") {
			if want.Progress != nil {
				version := "fetching Linux " + strings.TrimPrefix(name, "linux-image-")
				apt.Progress = func(_ string, percent float64) { want.Progress(version, percent) }
			}
			return apt.Download(ctx, name)
		}
	}
	return "", fmt.Errorf("%s depends on no kernel", meta)
}

// kernelSources derives where to look from the sources of this machine: the
// same mirrors, but the release that has the series. A machine with other
// sources is told of Debian's; what it needs is apt and Debian's keys.
func kernelSources(ctx context.Context, series string) ([]deb.Source, error) {
	release, known := releases[series]
	if !known && series != "" {
		return nil, fmt.Errorf("no Debian release has Linux %s: 5.10, 6.1 and 6.12 are known", series)
	}
	own, err := deb.Targets(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(debianKeys); err != nil {
		return nil, fmt.Errorf("no keys to check Debian's kernels with: %s is missing, of package debian-archive-keyring", debianKeys)
	}
	at := debianRelease(own)
	if release == "" {
		if release = at; release == "" {
			return nil, errors.New("no release of Debian among the sources of this machine")
		}
	}
	if at == "" {
		own = debian
	}
	var sources []deb.Source
	seen := map[string]bool{}
	for _, s := range own {
		suite, mirrored := release, !strings.Contains(s.Suite, "-")
		if strings.HasSuffix(s.Suite, "-security") {
			suite, mirrored = release+"-security", true
		}
		if s.Components == "main" && mirrored && !seen[s.URI] && isDebian(s) {
			seen[s.URI] = true
			sources = append(sources, deb.Source{URI: s.URI, Suite: suite, Components: "main", SignedBy: debianKeys})
		}
	}
	return sources, nil
}

// isDebian tells Debian's own archives from those of others that are configured.
func isDebian(s deb.Source) bool {
	name, _, _ := strings.Cut(s.Suite, "-")
	switch name {
	case "stable", "oldstable", "oldoldstable", "testing", "unstable", "sid", "bullseye", "bookworm", "trixie", "forky", "duke":
		return true
	}
	return false
}

// debianRelease is the machine's own: the first of Debian's without a suffix.
func debianRelease(own []deb.Source) string {
	for _, s := range own {
		if isDebian(s) && !strings.Contains(s.Suite, "-") {
			return s.Suite
		}
	}
	return ""
}

// unpackKernel writes kernel and modules of a package into dir and returns the
// kernel's version.
func unpackKernel(file, dir string) (version string, err error) {
	err = deb.Files(file, func(h *tar.Header, content io.Reader) error {
		name := strings.TrimPrefix(h.Name, "usr/")
		var to string
		switch parts := strings.SplitN(name, "/", 4); {
		case h.Typeflag != tar.TypeReg:
			return nil
		case strings.HasPrefix(name, "boot/vmlinuz-"):
			version, to = strings.TrimPrefix(name, "boot/vmlinuz-"), "vmlinuz"
		case len(parts) == 4 && parts[0] == "lib" && parts[1] == "modules":
			to = filepath.Join("modules", parts[3])
		default:
			return nil
		}
		if !filepath.IsLocal(to) {
			return fmt.Errorf("a path that leads out of the package")
		}
		to = filepath.Join(dir, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		return errors.Join(err, f.Close())
	})
	if err == nil && version == "" {
		err = fmt.Errorf("unpack %s: no kernel in it", filepath.Base(file))
	}
	return version, err
}
