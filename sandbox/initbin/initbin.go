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
)

//go:embed *
var files embed.FS

// ErrMissing says that this cutaway was built without its init.
var ErrMissing = errors.New("this build has no init embedded: build with make build")

// Program gives the bytes of cutaway-init, or ErrMissing.
func Program() ([]byte, error) {
	b, err := files.ReadFile("cutaway-init")
	if err != nil {
		return nil, ErrMissing
	}
	return b, nil
}
