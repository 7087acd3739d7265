package sys

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// FilesAs runs do with another user's rights to files: what it may read and
// write, and whose is what it makes. Root's power over files is off meanwhile:
// setfsuid(2), capabilities(7). Only root can ask for it.
func FilesAs(uid, gid int, do func() error) error {
	runtime.LockOSThread() // the ids belong to this thread
	_, err := unix.SetfsgidRetGid(gid)
	if err == nil {
		_, err = unix.SetfsuidRetUid(uid)
	}
	if err == nil {
		err = do()
	}
	// setfsuid says who it was until now; only so one sees that it had an effect.
	was, back := unix.SetfsuidRetUid(0)
	_, backToo := unix.SetfsgidRetGid(0)
	if was != uid || back != nil || backToo != nil {
		// The thread stays locked, and ends with its goroutine.
		return errors.Join(err, fmt.Errorf("setfsuid %d: it had no effect", uid))
	}
	runtime.UnlockOSThread()
	return err
}
