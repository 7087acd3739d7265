package vm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox/sys"
)

// Kernel is one a guest can run.
type Kernel struct {
	Version string // as uname -r has it
	Arch    string // as GOARCH has it
	Image   string // the file to boot
	Modules string // its directory of modules
}

// KernelSource says which kernel is wanted. Its zero value is the best one to
// be had for the host's own architecture.
type KernelSource struct {
	File   string // a kernel of the caller's own
	Series string // one of Debian's: "5.10", "6.1", "6.12"; "" is what the host has or its distribution ships
	Arch   string // as GOARCH has it; "" is the host's
	// Progress, when set, is told what is being done that takes long, such as
	// "fetching Linux 6.12", and how far it is, in percent; less than 0 is unknown.
	Progress func(doing string, percent float64)
}

// NoKernelError says that no guest kernel was found, and what was tried.
type NoKernelError struct {
	Want  string
	Facts []string
}

func (e *NoKernelError) Error() string {
	return "find a guest kernel" + e.Want + ": " + strings.Join(e.Facts, "; ")
}

// Hint says how to provide one.
func (e *NoKernelError) Hint() string {
	return "cutaway vm up --kernel FILE takes one of yours; its modules belong in /lib/modules/VERSION or beside it in modules/"
}

// KernelFileError says that a file named as the kernel is none, or cannot be read.
type KernelFileError struct {
	File string
	err  error
}

func (e *KernelFileError) Error() string { return "boot the kernel " + e.File + ": " + e.err.Error() }
func (e *KernelFileError) Unwrap() error { return e.err }

// Hint says what a kernel looks like.
func (e *KernelFileError) Hint() string {
	return "a kernel is a file such as /boot/vmlinuz-VERSION, or one of Debian's series: 5.10, 6.1, 6.12"
}

// newest is the series of Debian's that all stages work on and that its stable
// release has.
const newest = "6.12"

// complete is the first Linux on which all stages work: from it on, exec enters
// a time namespace that was unshared.
const complete = "6.3"

// FindKernel finds a kernel: the file named, or the series of Debian's that was
// asked for. When neither was, these come into question, in this order:
//
//   - one that lies beside this program, as in a kit (kit.sh);
//   - the host's own, if everybody may read it and all stages work on it;
//   - one fetched earlier in place of the next;
//   - Debian's newest, which is fetched and unpacked without root;
//   - where it is not to be had, the host's older one;
//   - or the one the host's release of Debian came out with.
//
// A second call fetches nothing.
func FindKernel(ctx context.Context, want KernelSource) (*Kernel, error) {
	if want.Arch == "" {
		want.Arch = runtime.GOARCH
	}
	if want.File != "" {
		return kernelFile(want.File, want.Arch)
	}
	if want.Series == "" && want.Arch == runtime.GOARCH {
		if k := kitKernel(); k != nil {
			return k, nil
		}
	}
	cache, err := cacheDir("kernels")
	if err != nil {
		return nil, err
	}
	if want.Series != "" {
		k, err := packaged(ctx, cache, want)
		var unavailable *fetchError
		if errors.As(err, &unavailable) {
			return nil, &NoKernelError{" " + want.Series, []string{err.Error()}}
		}
		return k, err
	}
	var host *Kernel
	if want.Arch == runtime.GOARCH {
		host = hostKernel("/")
	}
	return choose(ctx, cache, want, host)
}

// choose finds the best kernel where none was named; host may be nil.
func choose(ctx context.Context, cache string, want KernelSource, host *Kernel) (*Kernel, error) {
	if host != nil && compareVersions(host.Version, complete) >= 0 {
		return host, nil
	}
	chosen := chosenLink(cache, want.Arch)
	if k := cached(chosen, want.Arch); k != nil {
		return k, nil
	}
	var facts []string
	for _, series := range []string{newest, ""} {
		if series == "" && host != nil {
			return host, nil
		}
		want.Series = series
		k, err := packaged(ctx, cache, want)
		var unavailable *fetchError
		if errors.As(err, &unavailable) {
			facts = append(facts, err.Error())
			continue
		}
		if err == nil {
			err = link(filepath.Base(filepath.Dir(k.Image)), chosen)
		}
		return k, err
	}
	return nil, &NoKernelError{Facts: append([]string{noHostKernel}, slices.Compact(facts)...)}
}

const noHostKernel = "no kernel in /boot that everybody may read"

// chosenLink is where the kernel stays that was chosen.
func chosenLink(cache, arch string) string { return filepath.Join(cache, "chosen-"+arch) }

// kitKernel is the kernel in kernels/ beside this program, which is laid out as
// the cache is; nil if there is none.
func kitKernel() *Kernel {
	self, err := sys.Self()
	if err != nil {
		return nil // then nothing is known to be beside it
	}
	return cached(chosenLink(filepath.Join(filepath.Dir(self), "kernels"), runtime.GOARCH), runtime.GOARCH)
}

// KernelHere is what FindKernel would find for the host's architecture without
// fetching anything; nil says that it would fetch one.
func KernelHere(ctx context.Context) (*Kernel, error) {
	if k := kitKernel(); k != nil {
		return k, nil
	}
	host := hostKernel("/")
	if host != nil && compareVersions(host.Version, complete) >= 0 {
		return host, nil
	}
	cache, err := cacheDir("kernels")
	if err != nil {
		return nil, err
	}
	if k := cached(chosenLink(cache, runtime.GOARCH), runtime.GOARCH); k != nil {
		return k, nil
	}
	switch _, err := kernelSources(ctx, newest); {
	case err == nil:
		return nil, nil
	case host != nil:
		return host, nil
	default:
		return nil, &NoKernelError{Facts: []string{noHostKernel, err.Error()}}
	}
}

// kernelFile is a kernel that somebody names. Its modules lie beside it or where
// the system keeps them.
func kernelFile(file, arch string) (*Kernel, error) {
	version, err := imageVersion(file)
	if err != nil {
		return nil, &KernelFileError{file, err}
	}
	for _, dir := range []string{
		filepath.Join(filepath.Dir(file), "modules"),
		filepath.Join("/lib/modules", version),
		filepath.Join(filepath.Dir(filepath.Dir(file)), "lib/modules", version),
	} {
		if _, err := os.Stat(filepath.Join(dir, "modules.builtin")); err == nil {
			return &Kernel{Version: version, Arch: arch, Image: file, Modules: dir}, nil
		}
	}
	return nil, &NoKernelError{" " + file, []string{"its version is " + version + ", and there are no modules of that"}}
}

// hostKernel is the newest kernel of the system at root that can be read and
// has the modules the lab needs. Debian and Alpine keep them in /boot, Fedora
// and Arch beside the modules.
func hostKernel(root string) *Kernel {
	var found []*Kernel
	for _, pattern := range []string{"boot/vmlinuz-*", "lib/modules/*/vmlinuz"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			continue // not a pattern: it is
		}
		for _, file := range files {
			version, err := imageVersion(file)
			if err != nil {
				continue
			}
			k := &Kernel{Version: version, Arch: runtime.GOARCH, Image: file, Modules: filepath.Join(root, "lib/modules", version)}
			if tree, err := readModuleTree(k.Modules); err == nil && len(tree.lacking(slices.Concat(eager, required))) == 0 {
				found = append(found, k)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return slices.MaxFunc(found, func(a, b *Kernel) int { return compareVersions(a.Version, b.Version) })
}

// imageVersion reads a kernel's version out of its file: the x86 boot header
// points to it (Documentation/arch/x86/boot.rst, kernel_version). Others carry
// it in their name or in that of their directory.
func imageVersion(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", errors.Unwrap(err) // a PathError, and the caller names the file
	}
	defer f.Close()
	head := make([]byte, 64<<10)
	n, err := f.Read(head)
	if err != nil {
		return "", fmt.Errorf("read it: %w", err)
	}
	head = head[:n]
	if n > 0x210 && string(head[0x202:0x206]) == "HdrS" {
		at := int(binary.LittleEndian.Uint16(head[0x20e:])) + 0x200
		if at < n {
			text, _, _ := bytes.Cut(head[at:], []byte{0})
			version, _, _ := strings.Cut(string(text), " ")
			return version, nil
		}
	}
	name, ok := strings.CutPrefix(filepath.Base(file), "vmlinuz-")
	if dir := filepath.Dir(file); !ok && filepath.Base(filepath.Dir(dir)) == "modules" {
		name, ok = filepath.Base(dir), true
	}
	if !ok || name == "" || name[0] < '0' || name[0] > '9' {
		return "", errors.New("no version of Linux is in it, nor in its name")
	}
	return name, nil
}

// compareVersions orders versions such as 6.1.0-50-cloud-amd64 number by number.
func compareVersions(a, b string) int {
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	}
	return slices.CompareFunc(split(a), split(b), func(x, y string) int {
		m, _ := strconv.Atoi(x) // digits alone; one too long for an int compares as the largest
		n, _ := strconv.Atoi(y)
		return cmp.Compare(m, n)
	})
}
