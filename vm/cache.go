package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"cutaway/sandbox/sys"
)

// The cache has kernels, kernels unpacked, initramfs and what is known of KVM:
// all that can be fetched or made again. A file in it is whole or not there.

// kept is how long what is quickly made again is kept without being used.
const kept = 7 * 24 * time.Hour

// CacheError says that there is no room in the cache.
type CacheError struct {
	Dir string
	err error
}

func (e *CacheError) Error() string { return "keep files in " + e.Dir + ": " + e.err.Error() }
func (e *CacheError) Unwrap() error { return e.err }

// Hint says where else they could be.
func (e *CacheError) Hint() string {
	return "make room there, or have the cache on another disk: XDG_CACHE_HOME=DIR"
}

// withRoom makes a CacheError of an error that says that a disk is full.
func withRoom(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &CacheError{dir, err}
	}
	return err
}

// needRoom wants that many bytes to be free: a program that fetches for a minute
// should not find out in the end.
func needRoom(dir string, bytes uint64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return fmt.Errorf("read how full %s is: %w", dir, err)
	}
	if free := st.Bavail * uint64(st.Bsize); free < bytes {
		return &CacheError{dir, fmt.Errorf("%d MiB are free, and %d are needed: %w", free>>20, bytes>>20, syscall.ENOSPC)}
	}
	return nil
}

// cacheDir makes the directory of that name in the user's cache.
func cacheDir(name string) (string, error) {
	cache, err := os.UserCacheDir() // XDG_CACHE_HOME, else ~/.cache
	if err != nil {
		return "", fmt.Errorf("find a place for the cache: %w", err)
	}
	dir := filepath.Join(cache, "cutaway", name)
	return dir, withRoom(dir, os.MkdirAll(dir, 0o755))
}

// used notes that a file of the cache is in use, and reports whether it is there.
func used(file string) bool {
	now := time.Now()
	return os.Chtimes(file, now, now) == nil
}

// writeWhole writes a file whole or not at all.
func writeWhole(to string, write func(io.Writer) error) error {
	dir := filepath.Dir(to)
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return withRoom(dir, err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	w := bufio.NewWriterSize(f, 1<<20)
	if err := errors.Join(write(w), w.Flush(), f.Chmod(0o644), f.Close()); err != nil {
		return withRoom(dir, err)
	}
	return os.Rename(f.Name(), to)
}

// prune removes the files of a directory that nobody has used for long.
func prune(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < kept {
			continue // somebody else has removed it, or it is in use
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// alone waits until no other process works in dir. Whoever was killed there has
// left new-* behind, which goes now.
func alone(ctx context.Context, dir string) (release func(), err error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, withRoom(dir, err)
	}
	for sys.TryLock(lock) != nil {
		select {
		case <-ctx.Done():
			lock.Close()
			return nil, fmt.Errorf("wait for another cutaway that works in %s: %w", dir, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "new-*"))
	for _, name := range left {
		err = errors.Join(err, os.RemoveAll(name))
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return func() { lock.Close() }, nil
}
