package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Stop asks the cutaway process of a running container to end it, and waits
// until nothing of it is left. The payload is told first and has a while to end
// by itself.
func (l *Lab) Stop(ctx context.Context, r Record) error {
	if err := syscall.Kill(r.Host, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send SIGTERM to cutaway (pid %d) of container %s: %w", r.Host, r.ID, err)
	}
	// One that ^Z has stopped acts on nothing until it goes on. It may have ended.
	_ = syscall.Kill(r.Host, syscall.SIGCONT)
	for {
		if _, err := os.Stat(l.Dirs.Journal(r.ID)); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
