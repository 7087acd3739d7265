package sandbox

import (
	"cutaway/sandbox/initbin"
	"cutaway/sandbox/sys"
)

// sealed is the outcome of a sealed copy: its descriptor, or -1.
type sealed struct {
	fd  int
	err error
}

// Warm begins to copy init's program for the next container. The copy takes
// longer than all else a host does before the clone; begun early, it is done by
// then.
func (l *Lab) Warm() {
	c := startCopy()
	l.warm.Store(&c)
}

// copyInit gives the copy that Warm began, or begins one.
func (l *Lab) copyInit() chan sealed {
	if c := l.warm.Swap(nil); c != nil {
		return *c
	}
	return startCopy()
}

func startCopy() chan sealed {
	c := make(chan sealed, 1)
	go func() {
		defer close(c)
		program, err := initbin.Program()
		if err != nil {
			c <- sealed{-1, err}
			return
		}
		fd, err := sys.SealedCopy("cutaway-init", program)
		c <- sealed{fd, err}
	}()
	return c
}
