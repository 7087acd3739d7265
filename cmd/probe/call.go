package main

import (
	"fmt"
	"strings"
	"syscall"
	"unsafe"
)

// call makes one privileged system call and prints it with its result, as
// strace(1) would:
//
//	mount("tmpfs", "/mnt", "tmpfs", 0, NULL) = -1 EPERM (operation not permitted)
//
// What succeeds is undone at once where it would stay: this asks the kernel
// "may I?", nothing more.
func call(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	for _, c := range calls {
		if c.name != args[0] {
			continue
		}
		given := args[1:]
		if len(given) > len(c.defaults) {
			return errUsage
		}
		// Arguments that were left out take their defaults.
		return c.make(append(given[:len(given):len(given)], c.defaults[len(given):]...)).try()
	}
	return errUsage
}

// syscallForm is a call ready to be made.
type syscallForm struct {
	name string
	trap uintptr
	args []word
	undo *syscallForm // made after a success; nil when nothing stays
	err  error        // the arguments could not be read
}

// try makes the call in a child, prints it, and undoes it if it succeeded.
func (s syscallForm) try() error {
	if s.err != nil {
		return s.err
	}
	got, err := inChild(s.trap, s.args)
	if err != nil {
		return err
	}
	if got.done {
		fmt.Println(s, result(got.ret, got.errno))
	} else { // a seccomp filter may kill instead of refusing
		fmt.Printf("%s: killed by %s\n", s, got.signal)
	}
	if !got.done || got.errno != 0 {
		return errRefused
	}
	if s.undo != nil {
		undone, err := inChild(s.undo.trap, s.undo.args)
		if err != nil {
			return err
		}
		if undone.errno != 0 {
			return refusal(s.undo.String(), undone.errno)
		}
	}
	return nil
}

// undoneBy gives the call that takes s back.
func (s syscallForm) undoneBy(undo syscallForm) syscallForm {
	s.undo = &undo
	return s
}

func (s syscallForm) String() string {
	texts := make([]string, len(s.args))
	for i, a := range s.args {
		texts[i] = a.text
	}
	return s.name + "(" + strings.Join(texts, ", ") + ")"
}

// str is a string argument.
func str(s string) word {
	p, err := syscall.BytePtrFromString(s)
	if err != nil {
		return word{text: "NULL"} // a NUL byte cannot come from a command line
	}
	return word{p: unsafe.Pointer(p), text: fmt.Sprintf("%q", s)}
}

// num is a number argument.
func num(n int) word { return word{n: uintptr(n), text: fmt.Sprint(n)} }

// sym is a constant argument, printed by its name.
func sym(name string, n int) word { return word{n: uintptr(n), text: name} }

// null is a pointer to nothing.
func null() word { return word{text: "NULL"} }
