//go:build !init

package op

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"cutaway/sandbox/sys"
)

// Sysctl sets a kernel parameter of the host's network namespace: a file below
// /proc/sys, proc(5). What several labs need is switched on by the first and
// restored by the last.
type Sysctl struct {
	Key   string `json:"key"` // net.ipv4.ip_forward
	Value string `json:"value"`
	// Saved is the file that keeps the value from before; "" where nothing need
	// be restored because the parameter goes away with its link.
	Saved string `json:"saved,omitempty"`
	// Unless names a link: while it exists another lab needs the value.
	Unless string `json:"unless,omitempty"`
}

// Name implements Op.
func (Sysctl) Name() string { return "sysctl" }

// Do implements Op. A parameter that has the value already is left alone.
func (o Sysctl) Do(k *sys.Kernel, _ *Target) error {
	if !k.Dry {
		before, err := os.ReadFile(o.file())
		if err != nil {
			return at(err, "read %s", o.file())
		}
		if strings.TrimSpace(string(before)) == o.Value {
			return nil
		}
		if err := o.save(before); err != nil {
			return at(err, "save the value of %s in %s", o.Key, o.Saved)
		}
	}
	return at(k.Write(o.file(), o.Value), "write %q to %s", o.Value, o.file())
}

// save keeps the value from before, unless another lab has: what it found was
// the machine's own. The file appears complete or not at all, since link(2) is
// atomic and refuses a name that is taken.
func (o Sysctl) save(before []byte) error {
	if o.Saved == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(o.Saved), ".sysctl")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // its other name remains
	_, err = f.Write(before)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), o.Saved); errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// Undo puts the saved value back once no lab needs the other.
func (o Sysctl) Undo(k *sys.Kernel) error {
	if o.Saved == "" || o.Unless != "" && linkExists(o.Unless) {
		return nil
	}
	before, err := os.ReadFile(o.Saved)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return at(err, "read %s", o.Saved)
	}
	value := strings.TrimSpace(string(before))
	if err := k.Write(o.file(), value); err != nil && !errors.Is(err, os.ErrNotExist) {
		return at(err, "write %q to %s", value, o.file())
	}
	if k.Dry {
		return nil
	}
	return at(os.Remove(o.Saved), "remove %s", o.Saved)
}

// IsShared implements Shared.
func (o Sysctl) IsShared() bool { return o.Saved != "" }

// Shell implements Op.
func (o Sysctl) Shell() string { return "sysctl -w " + quote(o.Key+"="+o.Value) }

func (o Sysctl) file() string { return "/proc/sys/" + strings.ReplaceAll(o.Key, ".", "/") }
