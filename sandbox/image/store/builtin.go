package store

import (
	"embed"
	"strings"
)

// BuiltInRef is the reference of the embedded image. It names no registry: the
// image comes out of this program.
const BuiltInRef = "built-in"

// builtIn holds builtin.digest, which `make` writes together with the image,
// and this file, so that there is something to embed without it.
//
//go:embed builtin.*
var builtIn embed.FS

// BuiltInDigest is the digest of the embedded image's manifest, taken when it was
// made: that is sooner read than the image. It is "" in a program without one:
// what the host has makes the image then.
func BuiltInDigest() string {
	digest, err := builtIn.ReadFile("builtin.digest")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(digest))
}

// Outdated reports whether img is the built-in image that another build of this
// program has left in the store.
func Outdated(img *Image) bool {
	digest := BuiltInDigest()
	return img.Ref == BuiltInRef && digest != "" && img.Digest != digest
}
