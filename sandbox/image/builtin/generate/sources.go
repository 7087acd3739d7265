package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"cutaway/sandbox/image"
	"cutaway/vm/deb"
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
	file, err := download(ctx, work, "busybox-static", arch)
	if err != nil {
		return err
	}
	busybox, err := programInDeb(file, "bin/busybox")
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
// its own.
func download(ctx context.Context, dir, pkg, arch string) (string, error) {
	apt := deb.Apt{Dir: dir, Arch: arch}
	if file, err := apt.Download(ctx, pkg); err == nil {
		return file, nil
	}
	apt.Own = true
	if err := apt.Update(ctx); err != nil {
		return "", err
	}
	return apt.Download(ctx, pkg)
}

// programLimit bounds what is read of one program, in bytes.
const programLimit = 64 << 20

// programInDeb reads one program out of a package. Distributions with a merged
// /usr ship the same program below usr/.
func programInDeb(file, name string) (program []byte, err error) {
	err = deb.Files(file, func(h *tar.Header, content io.Reader) error {
		if h.Typeflag != tar.TypeReg || h.Name != name && h.Name != "usr/"+name {
			return nil
		}
		if h.Size > programLimit {
			return fmt.Errorf("%d bytes: more than a busybox", h.Size)
		}
		if program, err = io.ReadAll(content); err != nil {
			return err
		}
		return io.EOF
	})
	if err == nil && program == nil {
		err = fmt.Errorf("read %s: no program %s in it", filepath.Base(file), name)
	}
	return program, err
}
