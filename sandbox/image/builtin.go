package image

import (
	"embed"
	"errors"
	"io"
	"io/fs"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// builtInFiles holds README.md and applets.txt, the small files of each layer
// and, in a program that was built with `make`, image.tar; if that was not on
// Linux, probe.bin in its place.
//
//go:embed builtin/*.* all:builtin/layers
var builtInFiles embed.FS

// BuiltIn gives the embedded image: busybox in three layers. Nothing is read
// before the first call, and no layer before it is asked for.
//
// A program built without the image makes the same from the host's static
// busybox; where there is none either, the error is a *NoBusyboxError. Only after
// `go build` on a fresh checkout is there no probe to be put into it.
func BuiltIn() (v1.Image, error) {
	file, err := builtInFiles.Open("builtin/image.tar")
	if errors.Is(err, fs.ErrNotExist) {
		return fromHost()
	}
	if err != nil {
		return nil, err
	}
	// A file of an embed.FS can be read at any offset and needs no closing.
	return readLayout(file.(io.ReaderAt))
}

// fromHost makes the image from what the host has.
func fromHost() (v1.Image, error) {
	path, err := FindBusybox(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	parts, err := ReadParts(path, "", runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	parts.Probe, err = builtInFiles.ReadFile("builtin/probe.bin")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return parts.Image()
}
