package sandbox

import (
	"fmt"
	"os"

	"cutaway/sandbox/sys"
)

// keys copies what is typed to a terminal, and can be stopped without losing
// the next key: a plain blocked read would swallow it.
type keys struct {
	wake *os.File
	done chan struct{}
}

func startKeys(in, master *os.File) (*keys, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	k := &keys{wake: w, done: make(chan struct{})}
	go func() {
		defer close(k.done)
		defer r.Close()
		buf := make([]byte, 4096)
		for sys.Readable(int(in.Fd()), int(r.Fd())) {
			n, err := sys.Read(int(in.Fd()), buf)
			if n <= 0 || err != nil {
				// The end of input is what ^D says to the program inside.
				_, _ = master.Write([]byte{4})
				return
			}
			if _, err := master.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	return k, nil
}

func (k *keys) stop() {
	k.wake.Close()
	<-k.done
}
