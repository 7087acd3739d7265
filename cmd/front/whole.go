package main

import (
	"embed"
	"errors"
	"fmt"

	"cutaway/sandbox/sys"
)

// program holds cutaway with all its verbs, in a build by make.
//
//go:embed program
var program embed.FS

// becomeWhole executes the program with all verbs in place of this one, which keeps
// its process, its arguments and its files. It runs from memory: to write it there
// takes some ten milliseconds. It returns only when that did not work.
func becomeWhole() error {
	whole, err := program.Open("program/cutaway")
	if err != nil {
		return errors.New("this build has only run in it, of images that are here: build with make build")
	}
	fd, err := sys.SealedCopy("cutaway", whole)
	if err != nil {
		return err
	}
	return fmt.Errorf("execute cutaway from memory: %w", sys.Become(fd))
}
