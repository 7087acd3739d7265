package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/sys"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	// Scripts compare what the host was with what it is: one at a time, and
	// none while another package's tests make containers.
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "cutaway-test.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = sys.Lock(lock)
	}
	if err == nil {
		err = flag.Set("test.parallel", "1")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer lock.Close()
	os.Exit(m.Run())
}

// TestScripts plays the command line, each file of testdata/script one story, with
// what make build leaves in bin, as people start it.
func TestScripts(t *testing.T) {
	bin, err := filepath.Abs("../../bin")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(bin, "cutaway"), "make build")
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	// The container's root, who is nobody on the host, must find its way to its
	// files; the kept trees are the same for all scripts.
	root, err := os.MkdirTemp("", "cutaway-script-")
	if err == nil {
		err = os.Chmod(root, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	// Kernels are fetched once, not for each script.
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		WorkdirRoot:         root,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("CUTAWAY_STATE", filepath.Join(root, "state"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CACHE_HOME", cache)
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "progress"))
			env.Setenv("LC_ALL", "C.UTF-8")
			env.Defer(func() { stopAll(t, root) })
			return os.Chmod(env.WorkDir, 0o755)
		},
		Condition: func(word string) (bool, error) {
			if word != "disposable" {
				return false, fmt.Errorf("no condition is called %s", word)
			}
			return run.Disposable(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":   exitStatus,
			"ndjson":   ndjson,
			"registry": registry,
			"until":    until,
			"journal":  spoil,
			"person":   atTerminal,
		},
	})
}

// stopAll ends the detached containers that a script which failed has left.
func stopAll(t *testing.T, root string) {
	l, err := sandbox.New(filepath.Join(root, "state"))
	if err != nil {
		t.Error(err)
		return
	}
	records, err := l.Records()
	if err != nil {
		t.Error(err)
	}
	for _, r := range records {
		if r.Live && strings.HasPrefix(r.State, root) {
			if err := l.Stop(context.Background(), r); err != nil {
				t.Error(err)
			}
		}
	}
}

// exitStatus runs a program and wants this exit status: status 3 cutaway ...
func exitStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// ndjson wants every line of a file to be an event of the contract, and lists
// what events there are: ndjson stdout stage step exit
func ndjson(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: ndjson FILE event...")
	}
	seen := map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(ts.ReadFile(args[0])))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct {
			Schema                           int
			Event                            string
			Calls, Created, Changed, Removed *[]json.RawMessage
		}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		if err := d.Decode(&e); err != nil || e.Schema != 1 || e.Event == "" {
			ts.Fatalf("no event: %v: %s", err, lines.Text())
		}
		if e.Event == "step" && (e.Calls == nil || e.Created == nil || e.Changed == nil || e.Removed == nil) {
			ts.Fatalf("a step without its four lists: %s", lines.Text())
		}
		seen[e.Event] = true
	}
	for _, want := range args[1:] {
		if !seen[want] {
			ts.Fatalf("no event %q", want)
		}
	}
}

// registry serves the built-in image on loopback and sets $REF; registry tamper
// makes it change the layers' bytes; registry silent is one that never answers.
func registry(ts *testscript.TestScript, neg bool, args []string) {
	if !neg && len(args) == 1 && args[0] == "silent" {
		l, err := net.Listen("tcp", "127.0.0.1:0") // accepted by the kernel, read by nobody
		ts.Check(err)
		ts.Defer(func() { l.Close() })
		ts.Setenv("REF", l.Addr().String()+"/some/image")
		return
	}
	r, err := image.ServeBuiltIn()
	ts.Check(err)
	ts.Defer(func() { r.Close() })
	ts.Setenv("REF", r.Ref())
	if len(args) == 1 && args[0] == "tampered" {
		img, err := image.BuiltIn()
		ts.Check(err)
		layers, err := img.Layers()
		ts.Check(err)
		digest, err := layers[1].Digest()
		ts.Check(err)
		r.Tamper(digest.String())
	}
}

// until runs a program again and again until it succeeds: until grep x file
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: until program args...")
	}
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = ts.Exec(args[0], args[1:]...); err == nil {
			return
		}
	}
	ts.Fatalf("never succeeded: %v", err)
}
