package vm

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"cutaway/vm/deb"

	"github.com/stretchr/testify/require"
)

// bzImage writes an image whose header says what version it is.
func bzImage(t *testing.T, file, version string) {
	t.Helper()
	b := make([]byte, 0x400)
	copy(b[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(b[0x20e:], 0x100)
	copy(b[0x300:], version+" (somebody@somewhere) #1 SMP\x00")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, b, 0o644))
}

// moduleTreeOf makes a directory of modules that are all part of the kernel.
func moduleTreeOf(t *testing.T, dir string) {
	t.Helper()
	var list []byte
	for _, name := range append(append([]string{}, eager...), required...) {
		list = append(list, "kernel/x/"+name+".ko\n"...)
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "kernel"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "modules.builtin"), list, 0o644))
}

func TestHostKernel(t *testing.T) {
	root := t.TempDir()
	require.Nil(t, hostKernel(root))
	for _, version := range []string{"6.1.0-9-amd64", "6.1.0-50-amd64", "6.12.1-amd64"} {
		bzImage(t, filepath.Join(root, "boot/vmlinuz-"+version), version)
	}
	require.Nil(t, hostKernel(root), "no modules")
	for _, version := range []string{"6.1.0-9-amd64", "6.1.0-50-amd64"} {
		moduleTreeOf(t, filepath.Join(root, "lib/modules", version))
	}
	k := hostKernel(root)
	require.Equal(t, "6.1.0-50-amd64", k.Version, "the newest one with modules")
	// Fedora and Arch keep it beside the modules.
	bzImage(t, filepath.Join(root, "lib/modules/6.18.3/vmlinuz"), "6.18.3")
	moduleTreeOf(t, filepath.Join(root, "lib/modules/6.18.3"))
	require.Equal(t, "6.18.3", hostKernel(root).Version)
}

func TestKernelFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bzImage")
	_, err := FindKernel(testContext(t), KernelSource{File: file})
	require.ErrorIs(t, err, os.ErrNotExist)
	bzImage(t, file, "6.9.9-own")
	_, err = FindKernel(testContext(t), KernelSource{File: file})
	var none *NoKernelError
	require.ErrorAs(t, err, &none)
	require.ErrorContains(t, err, "6.9.9-own")
	moduleTreeOf(t, filepath.Join(dir, "modules"))
	k, err := FindKernel(testContext(t), KernelSource{File: file})
	require.NoError(t, err)
	require.Equal(t, "6.9.9-own", k.Version)
	require.Equal(t, filepath.Join(dir, "modules"), k.Modules)
	require.NoError(t, os.WriteFile(file, []byte("no kernel"), 0o644))
	_, err = FindKernel(testContext(t), KernelSource{File: file})
	require.ErrorContains(t, err, "no version of Linux is in it, nor in its name")
}

// What was fetched once is found without asking anybody.
func TestFetchedKernelIsKept(t *testing.T) {
	_, err := FindKernel(testContext(t), KernelSource{Series: "6.1"}) // may fetch
	require.NoError(t, err)
	t.Setenv("PATH", t.TempDir()) // no apt
	k, err := FindKernel(testContext(t), KernelSource{Series: "6.1"})
	require.NoError(t, err)
	require.Regexp(t, `^6\.1\.`, k.Version)
	_, err = FindKernel(testContext(t), KernelSource{Series: "2.4"})
	var none *NoKernelError
	require.ErrorAs(t, err, &none)
	require.NotEmpty(t, none.Hint())
}

func TestCompareVersions(t *testing.T) {
	ascending := []string{"5.10.0-46-cloud", "6.1.0-9-amd64", "6.1.0-50-amd64", "6.12.94+deb13-amd64", "6.12.107+deb13-amd64"}
	for i, a := range ascending {
		for j, b := range ascending {
			require.Equal(t, i < j, compareVersions(a, b) < 0, "%s %s", a, b)
		}
	}
}

// fetched puts a kernel into a cache, as if Debian's package had been unpacked.
func fetched(t *testing.T, cache, name, version string) {
	bzImage(t, filepath.Join(cache, version, "vmlinuz"), version)
	require.NoError(t, link(version, filepath.Join(cache, name)))
}

func TestChooseKernel(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no apt: nothing can be fetched
	want := KernelSource{Arch: "amd64"}
	old, complete := &Kernel{Version: "6.1.0-50-amd64"}, &Kernel{Version: "6.12.1-amd64"}
	cache := t.TempDir()
	choice := func(host *Kernel) string {
		k, err := choose(testContext(t), cache, want, host)
		require.NoError(t, err)
		return k.Version
	}
	_, err := choose(testContext(t), cache, want, nil)
	var none *NoKernelError
	require.ErrorAs(t, err, &none)
	require.Len(t, none.Facts, 2, "there is none here, and no apt: %s", err)

	require.Equal(t, old.Version, choice(old), "better than nothing")
	fetched(t, cache, "default-amd64", "6.1.0-49-cloud-amd64")
	require.Equal(t, "6.1.0-49-cloud-amd64", choice(nil))
	require.Equal(t, "6.1.0-49-cloud-amd64", choice(old), "the choice stands, or each run would ask the network")
	require.NoError(t, os.Remove(filepath.Join(cache, "chosen-amd64")))
	fetched(t, cache, "6.12-amd64", "6.12.9-cloud-amd64")
	require.Equal(t, "6.12.9-cloud-amd64", choice(old))
	require.Equal(t, complete.Version, choice(complete), "the host's needs no fetching")
}

// sourcesOf has apt believe that these are the machine's. It has no lists of
// them, as on a fresh machine.
func sourcesOf(t *testing.T, list string) {
	dir := t.TempDir()
	file, config := filepath.Join(dir, "sources.list"), filepath.Join(dir, "apt.conf")
	require.NoError(t, os.WriteFile(file, []byte(list), 0o644))
	require.NoError(t, os.WriteFile(config, []byte("Dir::Etc::SourceParts \"/dev/null\";\nDir::Etc::SourceList \""+file+"\";\n"), 0o644))
	t.Setenv("APT_CONFIG", config)
}

func TestKernelSources(t *testing.T) {
	places := func(series string) (places []string) {
		sources, err := kernelSources(testContext(t), series)
		require.NoError(t, err)
		for _, s := range sources {
			require.Equal(t, debianKeys, s.SignedBy)
			places = append(places, s.URI+" "+s.Suite)
		}
		return places
	}
	// Somebody's mirror, and somebody else's packages.
	sourcesOf(t, "deb http://mirror.example/debian bookworm main contrib\ndeb http://mirror.example/debian bookworm-updates main\n"+
		"deb http://mirror.example/security bookworm-security main\ndeb http://packages.example/apt cloud-sdk-bookworm main\n")
	require.Equal(t, []string{"http://mirror.example/debian trixie", "http://mirror.example/security trixie-security"}, places("6.12"))
	require.Equal(t, []string{"http://mirror.example/debian bookworm", "http://mirror.example/security bookworm-security"}, places(""))

	// Ubuntu: its own archive has none of Debian's kernels.
	sourcesOf(t, "deb http://archive.ubuntu.com/ubuntu noble main universe\ndeb http://security.ubuntu.com/ubuntu noble-security main\n")
	require.Equal(t, []string{"http://deb.debian.org/debian trixie", "http://security.debian.org/debian-security trixie-security"}, places("6.12"))
	_, err := kernelSources(testContext(t), "")
	require.ErrorContains(t, err, "no release of Debian among the sources")
}

func TestOwnRelease(t *testing.T) {
	own := []deb.Source{{Suite: "nodistro"}, {Suite: "cloud-sdk-bookworm"}, {Suite: "bookworm-security"}, {Suite: "bookworm"}}
	require.Equal(t, "bookworm", debianRelease(own))
	require.Empty(t, debianRelease(own[:3]))
}

func TestVerdictIsOfOneBoot(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	v, known := Acceleration("riscv64")
	require.True(t, known)
	require.Equal(t, "tcg", v.Accel)
	if _, err := os.Stat("/dev/kvm"); err != nil {
		return // then nothing is ever asked
	}
	v, known = Acceleration("amd64")
	require.False(t, known)
	v.Accel = "kvm"
	require.NoError(t, v.remember("amd64"))
	kept, known := Acceleration("amd64")
	require.True(t, known)
	require.Equal(t, "kvm", kept.Accel)
	v.Boot = "another"
	require.NoError(t, v.remember("amd64"))
	_, known = Acceleration("amd64")
	require.False(t, known)
}
