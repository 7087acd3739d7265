package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"cutaway/sandbox/sys"
	"cutaway/vm/wire"
)

// DefaultName is the machine meant when none is named.
const DefaultName = "default"

// StateDir is where machines that are up are found: for root below /run, for
// others where their session's files are (XDG Base Directory Specification).
func StateDir() string {
	if os.Geteuid() == 0 {
		return "/run/cutaway-vm"
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "cutaway-vm")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("cutaway-vm-%d", os.Geteuid()))
}

// Up starts a process that keeps a machine, by keep, a command that ends in
// KeepUntilDown, and waits until the machine can be used. When ctx ends first, the
// keeper is told to end, by SIGTERM, and has done so when Up returns.
func Up(ctx context.Context, keep *exec.Cmd) (Info, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return Info{}, err
	}
	defer r.Close()
	keep.ExtraFiles = []*os.File{w}
	keep.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = keep.Start()
	w.Close()
	if err != nil {
		return Info{}, fmt.Errorf("start the keeper of the microVM: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = keep.Process.Signal(syscall.SIGTERM) }) // it may have ended
	defer stop()
	said, err := io.ReadAll(r)
	if err != nil {
		return Info{}, fmt.Errorf("read what the keeper of the microVM says: %w", err)
	}
	if ctx.Err() != nil {
		_ = keep.Wait() // how it ended is no news
		return Info{}, context.Cause(ctx)
	}
	var report keeperReport
	if len(said) == 0 || json.Unmarshal(said, &report) != nil {
		return Info{}, fmt.Errorf("start the microVM: its keeper ended: %w", keep.Wait())
	}
	if report.Info == nil {
		return Info{}, errors.Join(keep.Process.Release(), &KeeperError{report.Error, report.Hint})
	}
	return *report.Info, keep.Process.Release()
}

// keeperReport is what a keeper tells whoever started it.
type keeperReport struct {
	Info  *Info  `json:"info,omitempty"`
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// KeeperError is why a machine did not come up, from its keeper.
type KeeperError struct{ Fact, Advice string }

func (e *KeeperError) Error() string { return e.Fact }

// Hint says what to do about it.
func (e *KeeperError) Hint() string { return e.Advice }

// KeepUntilDown is the life of the process that Up starts: Keep, with the
// outcome of the start told on descriptor 3.
func KeepUntilDown(ctx context.Context, dir, name string, c Config) error {
	starter := os.NewFile(3, "starter")
	told := false
	tell := func(r keeperReport) error {
		told = true
		return errors.Join(json.NewEncoder(starter).Encode(r), starter.Close())
	}
	err := Keep(ctx, dir, name, c, func(i Info) error { return tell(keeperReport{Info: &i}) })
	if err != nil && !told {
		var advice interface{ Hint() string }
		r := keeperReport{Error: err.Error()}
		if errors.As(err, &advice) {
			r.Hint = advice.Hint()
		}
		return errors.Join(err, tell(r))
	}
	return err
}

// NotUpError says that there is no machine of that name.
type NotUpError struct{ Name string }

func (e *NotUpError) Error() string { return "find the microVM " + e.Name + ": it is not up" }

// Hint says how to start it.
func (e *NotUpError) Hint() string { return "cutaway vm up starts it" }

// Find gives what is known of a machine that is up.
func Find(dir, name string) (Info, error) {
	machines, err := List(dir)
	for _, m := range machines {
		if m.Name == name {
			return m, nil
		}
	}
	return Info{}, errors.Join(err, &NotUpError{name})
}

// Connect gives a link to a machine that is up.
func Connect(dir, name string) (*Link, error) {
	conn, err := dial(dir, name)
	if err != nil {
		return nil, err
	}
	f, err := conn.Receive()
	var g wire.Greeting
	if err == nil {
		err = f.Decode(&g)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("speak to the microVM %s: %w", name, err)
	}
	return newLink(conn, g), nil
}

func dial(dir, name string) (*wire.Conn, error) {
	if !up(filepath.Join(dir, name)) {
		return nil, &NotUpError{name}
	}
	conn, err := net.DialTimeout("unix", filepath.Join(dir, name, "socket"), 2*time.Second)
	if err != nil { // it is on its way up or down
		return nil, &NotUpError{name}
	}
	return wire.NewConn(conn), nil
}

// up reports whether a machine has its keeper, who holds a lock as long as it
// lives.
func up(place string) bool {
	lock, err := os.OpenFile(filepath.Join(place, "lock"), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer lock.Close()
	return sys.TryLock(lock) != nil
}

// Down switches a machine off and waits until it is gone.
func Down(ctx context.Context, dir, name string) error {
	conn, err := dial(dir, name)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Send(wire.Frame{Kind: wire.Down}); err != nil {
		return fmt.Errorf("switch off the microVM %s: %w", name, err)
	}
	for up(filepath.Join(dir, name)) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("switch off the microVM %s: %w", name, context.Cause(ctx))
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// List gives the machines that are up, by name, and removes what keepers have
// left that were killed.
func List(dir string) ([]Info, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var machines []Info
	for _, e := range entries {
		place := filepath.Join(dir, e.Name())
		if !up(place) {
			if err := sweep(place); err != nil {
				return nil, err
			}
			continue
		}
		var i Info
		if b, err := os.ReadFile(filepath.Join(place, "info.json")); err != nil || json.Unmarshal(b, &i) != nil {
			continue // on its way up or down
		}
		machines = append(machines, i)
	}
	slices.SortFunc(machines, func(a, b Info) int { return a.Started.Compare(b.Started) })
	return machines, nil
}

// sweep removes the directory of a machine that has lost its keeper.
func sweep(place string) error {
	lock, err := os.OpenFile(filepath.Join(place, "lock"), os.O_RDWR, 0)
	if err != nil {
		return nil // somebody is about to make it, or to remove it
	}
	defer lock.Close()
	if sys.TryLock(lock) != nil {
		return nil // a new keeper has come
	}
	return os.RemoveAll(place)
}
