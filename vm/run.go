package vm

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Options say what to run in a machine of its own.
type Options struct {
	Config
	Command
	// Share is a folder to copy into the guest at ShareDir, and out again after
	// the command; "" is none.
	Share string
	// Before and After, when set, are called before and after the command, while
	// the machine runs.
	Before, After func(context.Context, *Link) error
	// Timeout bounds the command, not the boot; 0 is no limit.
	Timeout time.Duration
}

// Run boots a machine, runs a command in it, and switches it off. It returns the
// command's exit status.
func Run(ctx context.Context, o Options) (int, error) {
	m, err := Boot(ctx, o.Config)
	if err != nil {
		return 0, err
	}
	defer m.Stop()
	status, err := RunIn(ctx, m.Link(), o)
	if errors.Is(err, errTimeout) {
		console, _ := m.log.excerpt()
		return status, &BootError{Fact: err.Error(), Console: console, err: errTimeout}
	}
	return status, err
}

// RunNamed is Run in a machine that others find below the directory dir by its
// name meanwhile, as if it were up: to look at what the command does there.
func RunNamed(ctx context.Context, dir, name string, o Options) (status int, err error) {
	ctx, down := context.WithCancel(ctx)
	defer down()
	ran := make(chan error, 1)
	begun := false
	kept := Keep(ctx, dir, name, o.Config, func(Info) error {
		begun = true
		go func() {
			defer down()
			ran <- func() error {
				link, err := Connect(dir, name)
				if err != nil {
					return err
				}
				defer link.Close()
				status, err = RunIn(ctx, link, o)
				return err
			}()
		}()
		return nil
	})
	if !begun {
		return 0, kept
	}
	// If the machine was lost, that is what the command ended with.
	return status, <-ran
}

// errTimeout says that a command was ended because its time was up.
var errTimeout = errors.New("time limit")

// RunIn does the same in a machine that is up.
func RunIn(ctx context.Context, l *Link, o Options) (int, error) {
	if o.Share != "" {
		if err := l.ShareIn(ctx, o.Share); err != nil {
			return 0, err
		}
	}
	if o.Before != nil {
		if err := o.Before(ctx, l); err != nil {
			return 0, err
		}
	}
	limited := ctx
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("ended after %s: %w", o.Timeout, errTimeout))
		defer cancel()
	}
	status, err := l.Run(limited, o.Command)
	if err == nil && o.Share != "" {
		err = l.ShareOut(ctx, o.Share)
	}
	if err == nil && o.After != nil {
		err = o.After(ctx, l)
	}
	return status, err
}
