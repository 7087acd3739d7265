package image

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// NoBusyboxError says that no busybox was found that could be put into an
// image, and why each candidate could not.
type NoBusyboxError struct {
	Arch  string // as GOARCH has it
	Facts []string
}

func (e *NoBusyboxError) Error() string {
	facts := strings.Join(e.Facts, "; ")
	if facts == "" {
		facts = "no busybox on PATH"
	}
	return fmt.Sprintf("make image %s for linux/%s: no static busybox: %s", BuiltInRef, e.Arch, facts)
}

// Hint says where one comes from.
func (e *NoBusyboxError) Hint() string {
	return "install your distribution's busybox-static (or busybox, if that is static), or name one: CUTAWAY_BUSYBOX=/path/to/busybox"
}

// FindBusybox finds a static busybox for arch: the one CUTAWAY_BUSYBOX names,
// else the host's own.
func FindBusybox(arch string) (path string, err error) {
	if path := os.Getenv("CUTAWAY_BUSYBOX"); path != "" {
		return path, CheckBusybox(path, arch)
	}
	none := &NoBusyboxError{Arch: arch}
	for _, name := range []string{"busybox", "busybox.static"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if err = CheckBusybox(path, arch); err == nil {
			return path, nil
		}
		none.Facts = append(none.Facts, err.Error())
	}
	return "", none
}

// machines are the ELF machine types of the architectures the lab runs on.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// CheckBusybox asserts that the program at path runs in an empty root file
// system on arch: it asks for no interpreter, so for no shared library either
// (elf(5), PT_INTERP).
func CheckBusybox(path, arch string) error {
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	defer f.Close()
	if want, known := machines[arch]; !known || f.Machine != want {
		return fmt.Errorf("check %s: it is for %s, not for %s", path, f.Machine, arch)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("check %s: it is linked dynamically", path)
		}
	}
	return nil
}

// applets lists the programs the busybox at path contains, each with the
// directory it belongs in. One for another architecture cannot be asked; the
// committed list, Debian's, stands in.
func applets(path string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	list, err := exec.CommandContext(ctx, path, "--list-full").Output()
	if err != nil {
		if list, err = builtInFiles.ReadFile("builtin/applets.txt"); err != nil {
			return nil, err
		}
	}
	return strings.Fields(string(list)), nil
}
