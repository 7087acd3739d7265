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
	form, err := formOf(args)
	if err != nil {
		return err
	}
	return form.try()
}

// manyCalls makes several, with their usual arguments, and prints for each its name
// here and its errno.
func manyCalls(names []string) error {
	if len(names) == 0 {
		return errUsage
	}
	for _, name := range names {
		form, err := formOf([]string{name})
		if err != nil {
			return err
		}
		got, err := inChild(form)
		if err != nil {
			return err
		}
		switch {
		case !got.done:
			fmt.Println(name, got.signal)
		case got.errno != 0:
			fmt.Println(name, errnoName(got.errno))
		default:
			fmt.Println(name, "ok")
			if err := form.takeBack(); err != nil {
				return err
			}
		}
	}
	return nil
}

// formOf finds the call that args name; those of its arguments that are left out
// take their defaults.
func formOf(args []string) (syscallForm, error) {
	for _, c := range calls {
		if c.name != args[0] {
			continue
		}
		given := args[1:]
		if len(given) > len(c.defaults) {
			return syscallForm{}, errUsage
		}
		form := c.make(append(given[:len(given):len(given)], c.defaults[len(given):]...))
		return form, form.err
	}
	return syscallForm{}, errUsage
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
	got, err := inChild(s)
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
	return s.takeBack()
}

// takeBack undoes a call that has succeeded.
func (s syscallForm) takeBack() error {
	if s.undo == nil {
		return nil
	}
	undone, err := inChild(*s.undo)
	if err != nil {
		return err
	}
	if undone.errno != 0 {
		return refusal(s.undo.String(), undone.errno)
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
