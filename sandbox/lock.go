package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cutaway/sandbox/sys"
)

// lockWait is how long another cutaway may have the lab's lock. It needs it for
// some milliseconds, with a bridge for a tenth of a second.
const lockWait = 30 * time.Second

// BusyError says that another process has had the lab's lock for too long.
type BusyError struct {
	Path    string
	Holder  int // its pid, 0 if that is not to be seen from here
	Name    string
	Stopped bool // by ^Z, say
	Waited  time.Duration
}

// Error names the process and what it does.
func (e *BusyError) Error() string {
	who, state := "somebody", ""
	if e.Holder != 0 {
		who = fmt.Sprintf("process %d (%s)", e.Holder, e.Name)
	}
	if e.Stopped {
		state = ", which is stopped"
	}
	return fmt.Sprintf("wait for %s: %s%s, has had it for %v", e.Path, who, state, e.Waited)
}

// Hint says what helps.
func (e *BusyError) Hint() string {
	if e.Holder == 0 {
		return "fuser -v " + e.Path + " shows who that is"
	}
	return fmt.Sprintf("kill -CONT %d has it go on; if that does not help, kill -KILL %[1]d, and cutaway clean undoes what it has begun", e.Holder)
}

// Locked runs f while no other cutaway changes what they share: the address
// list, the bridge, the settings to restore. The error is a *BusyError if another
// does not let go.
func (l *Lab) Locked(f func() error) error { return l.lockedWithin(lockWait, f) }

func (l *Lab) lockedWithin(wait time.Duration, f func() error) error {
	file, err := os.OpenFile(filepath.Join(l.Dirs.Run, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the lab's lock: %w", err)
	}
	defer file.Close()
	err = sys.TryLock(file)
	for begun, pause := time.Now(), time.Millisecond; err == syscall.EWOULDBLOCK; err = sys.TryLock(file) {
		if waited := time.Since(begun); waited > wait {
			return busy(file, waited.Round(time.Second))
		}
		time.Sleep(pause)
		pause = min(2*pause, 20*time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return f()
}

// busy finds out who has the lock: proc_locks(5).
func busy(file *os.File, waited time.Duration) *BusyError {
	e := &BusyError{Path: file.Name(), Waited: waited}
	info, err := file.Stat()
	if err != nil {
		return e
	}
	inode := fmt.Sprintf(":%d", info.Sys().(*syscall.Stat_t).Ino)
	locks, _ := os.ReadFile("/proc/locks") // unread, nobody is found
	for line := range strings.Lines(string(locks)) {
		// 5: FLOCK  ADVISORY  WRITE 1234 fe:00:9175 0 EOF
		if f := strings.Fields(line); len(f) == 8 && f[1] == "FLOCK" && strings.HasSuffix(f[5], inode) {
			e.Holder, _ = strconv.Atoi(f[4]) // 0 for somebody in no namespace of ours
		}
	}
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", e.Holder)); err == nil {
		e.Name = strings.TrimSpace(string(name))
	}
	if fields, err := stat(e.Holder); err == nil {
		e.Stopped = fields[0] == "T"
	}
	return e
}
