// Command bench times how long the complete container takes from start to end
// of `true`, beside the same root filesystem started by other programs, in
// random order, and says what was measured where. See the table in tools.go.
//
// Two things are promised, and checked here: at most four times what unshare(1)
// takes, and less than a third of runc. The exit status is 1 if one is not kept.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"cutaway/sandbox/image"
)

func main() {
	runs := flag.Int("n", 40, "measure each program `N` times, at least 20")
	pause := flag.Duration("pause", 60*time.Millisecond, "time between two runs that counts as cold")
	cutaway := flag.String("cutaway", "bin/cutaway", "the program to measure")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kept, err := bench(ctx, *cutaway, *runs, *pause)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !kept {
		os.Exit(1)
	}
}

// bench measures hot and cold and reports whether both promises are kept.
func bench(ctx context.Context, cutaway string, runs int, pause time.Duration) (kept bool, err error) {
	if runs < 20 {
		return false, errors.New("fewer than 20 runs tell nothing")
	}
	dir, err := os.MkdirTemp("", "cutaway-bench-")
	if err != nil {
		return false, err
	}
	// A user namespace's root, who is nobody here, must find its way in.
	err = os.Chmod(dir, 0o711)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err != nil {
		return false, err
	}
	tree, err := rootFilesystem(ctx, dir)
	if err != nil {
		return false, err
	}
	complaints, err := os.OpenFile(filepath.Join(dir, "stderr"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return false, err
	}
	defer complaints.Close()
	tools, absent, err := find(dir, tree, cutaway, complaints)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, cleanUp(tools, runtimeState(dir))) }()
	if err := machine(os.Stdout, runs); err != nil {
		return false, err
	}
	for _, why := range absent {
		fmt.Println("not measured:", why)
	}
	kept = true
	for _, temperature := range []struct {
		name  string
		pause time.Duration
	}{{"hot: one run right after the other", 0}, {fmt.Sprintf("cold: %v of rest before each run", pause), pause}} {
		times, err := measure(ctx, tools, runs, temperature.pause, complaints)
		if err != nil {
			return false, err
		}
		fmt.Printf("\n%s\n", temperature.name)
		show(os.Stdout, tools, times)
		kept = promises(os.Stdout, times, temperature.pause == 0) && kept
	}
	return kept, nil
}

// rootFilesystem unpacks the built-in image into a directory of dir.
func rootFilesystem(ctx context.Context, dir string) (string, error) {
	store, err := image.Open(filepath.Join(dir, "images"))
	if err != nil {
		return "", err
	}
	img, err := store.Pull(ctx, image.BuiltInRef, image.PullOptions{})
	if err != nil {
		return "", err
	}
	tree := filepath.Join(dir, "tree")
	return tree, store.Flatten(ctx, img, image.Owner{}, tree)
}
