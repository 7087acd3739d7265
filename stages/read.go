package stages

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// readFile reads a file of the host, for Outside.
func readFile(path string) func() (string, error) {
	return func() (string, error) {
		b, err := os.ReadFile(path)
		return string(b), err
	}
}

// readLine reads the first line of a file of the host that begins with prefix,
// with single spaces between its words, for Outside.
func readLine(path, prefix string) func() (string, error) {
	return func() (string, error) {
		b, err := os.ReadFile(path)
		return Out{Text: string(b)}.lineText(prefix), err
	}
}

// number reads a text that is one decimal number into n and says whether it is.
func number(text string, n *int) bool {
	v, err := strconv.Atoi(strings.TrimSpace(text))
	if err == nil {
		*n = v
	}
	return err == nil
}

// failed tells of something that should just have worked.
func (l *Look) failed(what string, err error) {
	l.report("outside", what, Out{Text: err.Error(), Status: 1}, "it works", false)
}

// started reports whether a second container has come to be. One that has not
// fails the stage.
func (l *Look) started(err error) bool {
	if err != nil {
		l.report("outside", "make a second container", Out{Text: err.Error(), Status: 1}, "it runs", false)
	}
	return err == nil
}

// ended takes a second container down.
func (l *Look) ended(second *Look) {
	if err := second.End(); err != nil {
		l.report("outside", "take the second container down", Out{Text: err.Error(), Status: 1}, "it is gone", false)
	}
}

// ownerOf is the user id that owns a file of the host.
func ownerOf(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("stat %s: the owner is not told", path)
	}
	return fmt.Sprint(st.Uid), nil
}
