package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Dirs says where the lab keeps what it must remember.
type Dirs struct {
	// Run holds one directory for each container, with its journal; it is lost
	// when the machine restarts, as everything it speaks of is.
	Run string
	// Data holds images, and the root filesystems of containers. It is not below
	// /run: many systems mount that without exec.
	Data string
}

// DefaultDirs gives the directories for root, or those of an ordinary user
// (XDG Base Directory Specification). state, when not empty, is used for Data.
func DefaultDirs(state string) (Dirs, error) {
	d := Dirs{Run: "/run/cutaway", Data: "/var/lib/cutaway"}
	if os.Geteuid() != 0 {
		home, err := os.UserHomeDir()
		if err != nil && state == "" {
			return d, fmt.Errorf("find a place for the lab's data: %w", err)
		}
		d.Run = filepath.Join(envOr("XDG_RUNTIME_DIR", os.TempDir()), fmt.Sprintf("cutaway-%d", os.Geteuid()))
		d.Data = filepath.Join(envOr("XDG_DATA_HOME", filepath.Join(home, ".local/share")), "cutaway")
	}
	if state != "" {
		absolute, err := filepath.Abs(state)
		if err != nil {
			return d, fmt.Errorf("state directory %s: %w", state, err)
		}
		d.Data = absolute
	}
	return d, nil
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// Images is where the image store is.
func (d Dirs) Images() string { return filepath.Join(d.Data, "images") }

// Container is where the files of one container are.
func (d Dirs) Container(id string) string { return filepath.Join(d.Data, "containers", id) }

// Journal is where the journal of one container is.
func (d Dirs) Journal(id string) string { return filepath.Join(d.Run, id, "journal") }

// journals lists where the journals of all containers are, or would be: one that
// ends just now, or begins, has a directory and no journal.
func (d Dirs) journals() (paths []string, err error) {
	entries, err := os.ReadDir(d.Run)
	if errors.Is(err, os.ErrNotExist) { // nobody has made a container yet
		return nil, nil
	}
	for _, e := range entries {
		if e.IsDir() {
			paths = append(paths, d.Journal(e.Name()))
		}
	}
	return paths, err
}

// make creates the directories. Data can be searched by everybody: a container's
// root user, who is nobody on the host, must find its way to its root.
func (d Dirs) make() error {
	for _, dir := range []struct {
		path string
		mode os.FileMode
	}{{d.Run, 0o700}, {filepath.Join(d.Data, "containers"), 0o711}} {
		if err := os.MkdirAll(dir.path, dir.mode); err != nil {
			return fmt.Errorf("make the lab's directories: %w", err)
		}
		if err := ours(dir.path); err != nil {
			return err
		}
	}
	return nil
}

// ours refuses a directory that somebody else made or may write to: what its
// journals say is undone without another question, and an ordinary user's is
// below /tmp, where everybody can be first.
func ours(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("look at the lab's directory: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("use directory %s: it is %s of user %d, where only you should be able to write", path, info.Mode(), st.Uid)
	}
	return nil
}
