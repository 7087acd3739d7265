package op

import (
	"errors"
	"os"
	"path"
	"strings"

	"cutaway/sandbox/sys"
)

// Console opens a terminal of the container's own devpts and makes it the
// payload's standard input, output and error; the other end goes to the host.
type Console struct{}

// Name implements Op.
func (Console) Name() string { return "console" }

// Do implements Op.
func (Console) Do(k *sys.Kernel, t *Target) error {
	master, slave, err := k.OpenPTY("/dev/pts")
	if err != nil {
		return err
	}
	t.Master = master
	if err := k.Setsid(); err != nil {
		return at(err, "start a session")
	}
	return at(k.ControllingTTY(slave), "take the terminal")
}

// Shell implements Op.
func (Console) Shell() string { return "" }

// Exec replaces init by the payload: execve(2). It keeps its pid, its
// namespaces and its credentials; all else of init ends here.
type Exec struct {
	Args []string `json:"args"`
	Env  []string `json:"env"`
}

// Name implements Op.
func (Exec) Name() string { return "execve" }

// Do implements Op. On success it does not return.
func (o Exec) Do(k *sys.Kernel, t *Target) error {
	// The change of credentials cleared it.
	if err := k.ParentDeathSignal(); err != nil {
		return at(err, "set the parent-death signal")
	}
	if !k.Dry && t.Socket.HungUp() {
		return errors.New("the host process is gone")
	}
	file, err := o.lookup(k)
	if err == nil {
		err = k.Execve(file, o.Args, o.Env)
	}
	return at(err, "execute %s", o.Args[0])
}

// lookup finds the program the way execvp(3) does: a name with a slash is a
// path, any other is looked for in PATH.
func (o Exec) lookup(k *sys.Kernel) (string, error) {
	name := o.Args[0]
	if k.Dry || strings.Contains(name, "/") {
		return name, nil
	}
	err := error(os.ErrNotExist)
	for _, dir := range strings.Split(o.path(), ":") {
		file := path.Join(dir, name)
		st, statErr := os.Stat(file)
		switch {
		case statErr != nil || st.IsDir():
		case st.Mode()&0o111 == 0:
			err = os.ErrPermission
		default:
			return file, nil
		}
	}
	if errors.Is(err, os.ErrPermission) {
		return "", sys.EACCES
	}
	return "", sys.ENOENT
}

func (o Exec) path() string {
	for _, e := range o.Env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			return v
		}
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

// Shell implements Op.
func (o Exec) Shell() string { return "exec " + quoteAll(o.Args) }
