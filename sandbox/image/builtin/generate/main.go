// Command generate makes the built-in image and writes it as an OCI layout in
// one tar archive, the file that package image embeds, and its digest, which
// package store does.
//
// Where the busybox in it comes from: see sources.go. Once it has one, a second
// run reads nothing from the network.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"cutaway/sandbox/image"
)

func main() {
	probe := flag.String("probe", "", "the static program of cmd/probe, for the same architecture")
	arch := flag.String("arch", runtime.GOARCH, "architecture of the image, as GOARCH has it")
	out := flag.String("o", "image.tar", "file to write")
	digest := flag.String("digest", "image.digest", "file to write the digest of its manifest to")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := generate(ctx, *probe, *arch, *out, *digest); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		var advice interface{ Hint() string }
		if errors.As(err, &advice) {
			fmt.Fprintln(os.Stderr, "hint:", advice.Hint())
		}
		os.Exit(1)
	}
}

// generate finds a busybox, makes the image and writes it to the file out, and
// what it is known by to the file digest.
func generate(ctx context.Context, probe, arch, out, digest string) error {
	busybox, err := findBusybox(ctx, arch)
	if err != nil {
		return err
	}
	parts, err := image.ReadParts(busybox, probe, arch)
	if err != nil {
		return err
	}
	img, err := parts.Image()
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := image.WriteLayout(&archive, img); err != nil {
		return err
	}
	known, err := img.Digest()
	if err != nil {
		return err
	}
	if err := replace(digest, []byte(known.String()+"\n"), 0o644); err != nil {
		return err
	}
	return replace(out, archive.Bytes(), 0o644)
}

// replace writes a file whole or not at all: one that is there is complete,
// whenever this program is interrupted.
func replace(path string, content []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
