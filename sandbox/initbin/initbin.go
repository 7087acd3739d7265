// Package initbin holds the program that containers start from, cutaway-init,
// as bytes inside cutaway.
//
// Its one invariant: what runs as init is a sealed copy of these bytes and never
// a file, so a container that opens /proc/1/exe finds nothing of the host to
// overwrite (CVE-2019-5736).
package initbin

import (
	"embed"
	"errors"
	"io"
)

//go:embed *
var files embed.FS

// ErrMissing says that this cutaway was built without its init.
var ErrMissing = errors.New("this build has no init embedded: build with make build")

// Program opens cutaway-init for reading, or returns ErrMissing. It is not
// copied: it lies in this program's own pages.
func Program() (io.Reader, error) {
	f, err := files.Open("cutaway-init")
	if err != nil {
		return nil, ErrMissing
	}
	return f, nil
}
