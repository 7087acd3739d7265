package overhead

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// instance is a program that was started somewhere.
type instance struct {
	begun time.Time
	stdin io.WriteCloser
	out   *bufio.Reader
	wait  func() error // until it has ended, and all that was there for it
	kill  func()
	pids  func() []int // the processes of the host that are there for it
	said  *bytes.Buffer
}

// patience is how long a program may take that has nothing more to wait for.
const patience = 30 * time.Second

// first waits for the first line and says how long after the start it came.
func (i *instance) first() (time.Duration, error) {
	timer := time.AfterFunc(patience+2*time.Minute, i.kill)
	defer timer.Stop()
	_, err := i.out.ReadString('\n')
	took := time.Since(i.begun)
	if err != nil {
		return 0, i.failed(err)
	}
	return took, nil
}

// output gives what it prints until it ends.
func (i *instance) output() (string, error) {
	i.stdin.Close()
	timer := time.AfterFunc(patience, i.kill)
	text, err := io.ReadAll(i.out)
	if waitErr := i.wait(); waitErr != nil {
		err = i.failed(waitErr)
	}
	if fired := !timer.Stop(); fired && err != nil {
		err = fmt.Errorf("it had not ended %s after its input, and was killed: %w", patience, err)
	}
	return string(text), err
}

// end ends a program that waits for its input to end.
func (i *instance) end() error {
	_, err := i.output()
	return err
}

// failed adds what was said on standard error.
func (i *instance) failed(err error) error {
	if i.said == nil {
		return err
	}
	if said := strings.TrimSpace(i.said.String()); said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// spawn starts a command. One that is dependent is killed with us; others, which
// have to clean up after themselves, end because their input does.
func spawn(ctx context.Context, cmd *exec.Cmd, dependent bool) (*instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i := &instance{said: &bytes.Buffer{}}
	cmd.Stderr = i.said
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if dependent {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe() // and not StdoutPipe, which Wait closes
	if err != nil {
		return nil, errors.Join(err, stdin.Close())
	}
	cmd.Stdout = w
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		// The signal of a parent's death comes when the thread ends that forked.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		i.begun = time.Now()
		err := cmd.Start()
		w.Close()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", cmd.Path, err), r.Close(), stdin.Close())
	}
	stop := context.AfterFunc(ctx, func() { stdin.Close(); r.Close() })
	i.stdin, i.out = stdin, bufio.NewReader(r)
	i.kill = func() { _ = cmd.Process.Kill() } // it may have ended
	i.wait = func() error {
		defer r.Close()
		defer stop()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			i.kill()
			return <-ended
		}
	}
	i.pids = func() []int { return family(cmd.Process.Pid) }
	return i, nil
}

// family is a process and all that descend from it: proc_pid_task(5), children.
func family(pid int) []int {
	all := []int{pid}
	for n := 0; n < len(all); n++ {
		tasks, err := os.ReadDir("/proc/" + strconv.Itoa(all[n]) + "/task")
		if err != nil {
			continue // it has ended
		}
		for _, task := range tasks {
			text, _ := os.ReadFile("/proc/" + strconv.Itoa(all[n]) + "/task/" + task.Name() + "/children") // likewise
			for _, word := range strings.Fields(string(text)) {
				if child, err := strconv.Atoi(word); err == nil {
					all = append(all, child)
				}
			}
		}
	}
	return all
}

// oneLine is an error as one line of a table.
func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	const most = 200
	if len(line) > most {
		line = line[:most] + " ..."
	}
	return line
}
