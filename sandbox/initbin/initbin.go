// Package initbin holds the program that containers start from, cutaway-init,
// as bytes inside cutaway.
//
// Its one invariant: what it hands out is what was built together with this
// cutaway, known by its digest. How it is executed so that no container can
// change it is in sandbox/program.go.
package initbin

import (
	"embed"
	"errors"
	"io/fs"
	"strings"
)

//go:embed *
var files embed.FS

// ErrMissing says that this cutaway was built without its init.
var ErrMissing = errors.New("this build has no init embedded: build with make build")

// Program opens cutaway-init for reading, or returns ErrMissing. It is not
// copied: it lies in this program's own pages.
func Program() (fs.File, error) {
	f, err := files.Open("cutaway-init")
	if err != nil {
		return nil, ErrMissing
	}
	return f, nil
}

// Digest gives the SHA-256 of the program as hexadecimal digits, taken when it
// was built, or returns ErrMissing.
func Digest() (string, error) {
	b, err := files.ReadFile("cutaway-init.sha256")
	if err != nil {
		return "", ErrMissing
	}
	return strings.TrimSpace(string(b)), nil
}
