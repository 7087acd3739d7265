package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"cutaway/sandbox/plan"
)

// What a detached container prints is kept beside its journal, and is gone with
// it. A line is written as Kubernetes' container runtime interface has it: time,
// stream, F for a full line or P for a part of one, and the bytes as they are.

// Log is where the output of one detached container is; ".1" is added for the
// part before.
func (d Dirs) Log(id string) string { return filepath.Join(d.Run, id, "log") }

const (
	logSize = 1 << 20  // bytes of one of the two files
	logLine = 16 << 10 // bytes; a longer line is kept in parts
	// logBatch is how many bytes wait to be written while more can be read.
	logBatch = 64 << 10
)

// logger writes a log from two pipes.
type logger struct {
	path   string
	copied sync.WaitGroup

	mu   sync.Mutex // guards the rest: there are two streams
	file *os.File
	size int
	err  error // the first; what comes after it is lost
}

// startLogged is Start with a log of what the payload prints.
func (l *Lab) startLogged(ctx context.Context, spec plan.Spec, o Options) (*Container, *logger, error) {
	var read, write [2]*os.File
	defer func() { closeAll(write[:]) }() // ours, or their end would never be read
	for i := range read {
		var err error
		if read[i], write[i], err = os.Pipe(); err == nil {
			// To open /dev/stdout anew, a user inside must be allowed to; but only the
			// process itself can find it.
			err = write[i].Chmod(0o622)
		}
		if err != nil {
			closeAll(read[:])
			return nil, nil, fmt.Errorf("make a pipe: %w", err)
		}
	}
	o.Stdio[1], o.Stdio[2] = write[0], write[1]
	c, err := l.Start(ctx, spec, o)
	if err != nil {
		closeAll(read[:])
		return nil, nil, err
	}
	log, err := newLogger(l.Dirs.Log(c.Spec.ID), read)
	if err != nil {
		closeAll(read[:])
		return nil, nil, errors.Join(err, c.Remove())
	}
	return c, log, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close() // of one that was never opened it says so
	}
}

// newLogger begins a log and reads from the pipes until nobody writes to them.
func newLogger(path string, read [2]*os.File) (*logger, error) {
	l := &logger{path: path}
	if err := l.begin(); err != nil {
		return nil, err
	}
	for i, stream := range []string{"stdout", "stderr"} {
		l.copied.Go(func() { l.copy(stream, read[i]) })
	}
	return l, nil
}

func (l *logger) begin() (err error) {
	l.size = 0
	l.file, err = os.OpenFile(l.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("begin a log: %w", err)
	}
	return nil
}

// copy reads one stream to its end, also when it cannot be kept: a program that
// nobody reads from would stop. What has come at once is written at once.
func (l *logger) copy(stream string, from *os.File) {
	defer from.Close()
	var entries []byte
	for r := bufio.NewReaderSize(from, logLine); ; {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 {
			entries = appendEntry(entries, stream, line)
		}
		waiting, _ := r.Peek(r.Buffered()) // never fails: it is there
		if len(entries) >= logBatch || !bytes.Contains(waiting, []byte("\n")) {
			l.write(entries)
			entries = entries[:0]
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return // the end, or the other end was closed by us
		}
	}
}

// appendEntry adds a line, or a part of one.
func appendEntry(entries []byte, stream string, line []byte) []byte {
	text, full := bytes.CutSuffix(line, []byte("\n"))
	tag := " P "
	if full {
		tag = " F "
	}
	entries = time.Now().UTC().AppendFormat(entries, time.RFC3339Nano)
	entries = append(append(append(append(entries, ' '), stream...), tag...), text...)
	return append(entries, '\n')
}

// write adds entries. A log that is full becomes the part before.
func (l *logger) write(entries []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && l.size+len(entries) > logSize {
		l.err = l.turn()
	}
	if l.err == nil {
		_, l.err = l.file.Write(entries)
		l.size += len(entries)
	}
}

func (l *logger) turn() error {
	l.file.Close()
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		return err
	}
	return l.begin()
}

// end waits until all is written that is still on its way, but not for a process
// inside that goes on: it will be killed.
func (l *logger) end() error {
	done := make(chan struct{})
	go func() { l.copied.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file.Close()
	err := l.err
	l.err = os.ErrClosed // for who still writes
	if err != nil {
		return fmt.Errorf("write log %s: %w", l.path, err)
	}
	return nil
}
