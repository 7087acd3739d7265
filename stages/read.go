package stages

import (
	"os"
	"strconv"
	"strings"
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
