package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"cutaway/sandbox/initbin"
	"cutaway/sandbox/sys"
)

// A container reaches the program its init was started from by /proc/PID/exe.
// If root inside is root on the host as well, it could write there, and the next
// container would run what it wrote, as root (CVE-2019-5736). So init runs from
// one of two things that nobody inside can write to:
//
//   - where root inside is nobody on the host, a file of root's that nobody else
//     may write: it is there already, and in the page cache;
//   - else a copy in sealed memory, which takes longer than all else a host does
//     before the clone.

// openProgram gives a descriptor of init's program, to execute.
func (c *Container) openProgram() (fd int, err error) {
	if c.lab.Features.Root() && c.Spec.RootUID() != 0 {
		fd, err := c.lab.Dirs.programFile()
		if err == nil || errors.Is(err, initbin.ErrMissing) {
			return fd, err
		}
		// No space for the file, say: memory will do.
	}
	program, err := initbin.Program()
	if err != nil {
		return -1, err
	}
	return sys.SealedCopy(initName, program)
}

// programFile opens the file with init's program, making it the first time. Its
// name has the digest of its content: another build has another file.
func (d Dirs) programFile() (fd int, err error) {
	digest, err := initbin.Digest()
	if err != nil {
		return -1, err
	}
	path := filepath.Join(d.Data, "init-"+digest[:16])
	fd, err = openOwn(path)
	if errors.Is(err, os.ErrNotExist) {
		if err = d.writeProgram(path); err == nil {
			fd, err = openOwn(path)
		}
	}
	return fd, err
}

// openOwn opens a program that only root can have written.
func openOwn(path string) (fd int, err error) {
	fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return -1, fmt.Errorf("open init's program %s: %w", path, err)
	}
	var st syscall.Stat_t
	if err = syscall.Fstat(fd, &st); err == nil && (st.Uid != 0 || st.Mode != syscall.S_IFREG|0o555) {
		err = fmt.Errorf("use init's program %s: it has mode %o and owner %d, where it was made with 555 and 0", path, st.Mode, st.Uid)
	}
	if err != nil {
		sys.CloseFD(fd)
		return -1, err
	}
	return fd, nil
}

// writeProgram makes the file, which appears whole or not at all, and removes
// those of other builds: an init that runs keeps its own until it ends.
func (d Dirs) writeProgram(path string) error {
	program, err := initbin.Program()
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(d.Data, "init-*"))
	if err != nil {
		return err
	}
	file, err := sys.Nameless(d.Data)
	if err != nil {
		return fmt.Errorf("make init's program in %s: %w", d.Data, err)
	}
	_, err = io.Copy(file, program)
	if err = errors.Join(err, file.Chmod(0o555)); err == nil {
		err = sys.Name(file, path)
	}
	if err = errors.Join(err, file.Close()); err != nil && !errors.Is(err, os.ErrExist) { // another cutaway was quicker
		return fmt.Errorf("make init's program %s: %w", path, err)
	}
	for _, o := range old {
		if err := os.Remove(o); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove init's program of another build: %w", err)
		}
	}
	return nil
}
