package vm

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// guestTools are programs of this machine that a guest of its kind gets besides
// busybox: util-linux's, where busybox's of the same name lack what an exercise
// needs; a shell that takes them, where busybox's prefers its own; and one for
// people.
var guestTools = []string{"sh", "bash", "unshare", "nsenter", "setpriv", "lsns", "findmnt"}

// terminals are those whose descriptions go along, for what people type: terminfo(5).
var terminals = []string{"linux", "screen", "screen-256color", "tmux", "tmux-256color", "vt100", "xterm", "xterm-256color"}

// terminfo are the places where they may be here.
var terminfo = []string{"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"}

// tools are the files of guestTools and what they need, by their path in the
// guest. Of a machine that lacks one of them there are none: then all is busybox's,
// as it is without them.
func tools() (map[string]string, error) {
	files := map[string]string{}
	for _, name := range guestTools {
		path, err := exec.LookPath(name)
		if errors.Is(err, exec.ErrNotFound) {
			return map[string]string{}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("find a tool for the microVM: %w", err)
		}
		to := "/usr/local/bin/" + name
		if name == "sh" {
			to = "/bin/sh"
		}
		more, err := Program(to, path)
		if err != nil {
			return nil, err
		}
		if filepath.Base(more[to]) == "busybox" {
			return map[string]string{}, nil
		}
		maps.Copy(files, more)
	}
	for _, name := range terminals {
		for _, dir := range terminfo {
			if file := filepath.Join(dir, name[:1], name); regular(file) {
				files[file] = file
				break
			}
		}
	}
	return files, nil
}

// Program gives the file of a program, by its path in a guest, and those of the
// libraries it is linked with: ldd(1).
func Program(to, path string) (map[string]string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("take %s into the microVM: %w", path, err)
	}
	files := map[string]string{to: resolved}
	out, err := exec.Command("ldd", resolved).Output()
	if err != nil {
		return files, nil // a static program, or a script
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if i := slices.IndexFunc(words, filepath.IsAbs); i >= 0 {
			files[words[i]] = words[i]
		}
	}
	return files, nil
}

func regular(file string) bool {
	st, err := os.Stat(file)
	return err == nil && st.Mode().IsRegular()
}
