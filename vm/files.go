package vm

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Put copies files into the guest: to is a path there, from a file here. Owner
// is root, the mode is kept, directories on the way are made.
func (l *Link) Put(ctx context.Context, files map[string]string) error {
	return l.unpack(ctx, "/", func(w *tar.Writer) error {
		for to, from := range files {
			if err := putFile(w, strings.TrimPrefix(to, "/"), from); err != nil {
				return err
			}
		}
		return nil
	})
}

func putFile(w *tar.Writer, to, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("copy %s: not a regular file", from)
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: to, Mode: int64(st.Mode().Perm()), Size: st.Size(), ModTime: time.Unix(st.ModTime().Unix(), 0)}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

// unpack streams an archive into the guest, which unpacks it at dir.
func (l *Link) unpack(ctx context.Context, dir string, write func(*tar.Writer) error) error {
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		t := tar.NewWriter(w)
		err := write(t)
		if err == nil {
			err = t.Close()
		}
		w.CloseWithError(err) // nil is end of file
		written <- err
	}()
	err := l.run(ctx, Command{Args: []string{"tar", "-x", "-f", "-", "-C", dir}, Stdin: r})
	r.Close() // the writer must not wait for a reader that has gone
	if err = errors.Join(err, <-written); err != nil {
		return fmt.Errorf("copy files into the microVM: %w", err)
	}
	return nil
}

// shell runs a line of shell in the guest, which must succeed.
func (l *Link) shell(ctx context.Context, out io.Writer, line string) error {
	return l.run(ctx, Command{Args: []string{"sh", "-c", line}, Stdout: out})
}

// run runs a command that must succeed. What it says on standard error becomes
// part of the error.
func (l *Link) run(ctx context.Context, c Command) error {
	var said bytes.Buffer
	c.Stderr = &said
	status, err := l.Run(ctx, c)
	if err == nil && status != 0 {
		err = fmt.Errorf("in the microVM: %s ended with status %d: %s", c.Args[0], status, strings.TrimSpace(said.String()))
	}
	return err
}
