package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"cutaway/sandbox/sys"
)

// program holds cutaway with all its verbs, in a build by make.
//
//go:embed program
var program embed.FS

// becomeWhole executes the program with all verbs in place of this one, which keeps
// its process, its arguments and its files. It runs from memory, where it is within
// some 15 milliseconds; a machine may refuse that (vm.memfd_noexec of sysctl), so it
// may also be a file without a name. It returns only when neither worked.
func becomeWhole() error {
	refused := become(func(whole io.Reader) (int, error) { return sys.SealedCopy("cutaway", whole) })
	if errors.Is(refused, fs.ErrNotExist) {
		return errors.New("this build has only run in it, of images that are here: build with make build")
	}
	return errors.Join(refused, become(func(whole io.Reader) (int, error) { return sys.NamelessCopy(os.TempDir(), whole) }))
}

// become executes the copy that copied makes.
func become(copied func(io.Reader) (int, error)) error {
	whole, err := program.Open("program/cutaway")
	if err != nil {
		return err
	}
	fd, err := copied(whole)
	if err != nil {
		return err
	}
	return fmt.Errorf("execute cutaway: %w", sys.Become(fd))
}
