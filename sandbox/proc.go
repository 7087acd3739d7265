package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"cutaway/sandbox/pid1"
	"cutaway/sandbox/sys"
)

// startTime gives when a process started, in clock ticks since boot: together
// with the pid it names a process for good. proc_pid_stat(5), field 22. One that
// has ended and only waits for its parent is gone: os.ErrProcessDone.
func startTime(pid int) (uint64, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return 0, os.ErrProcessDone
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// stat reads /proc/PID/stat from the third field on, the state: proc_pid_stat(5).
func stat(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	// The second field, the program's name in parentheses, may hold anything.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 20 {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return fields, nil
}

// initName is what init is called until it becomes the payload.
const initName = "cutaway-init"

// awaitPayload returns when execve is over, for whoever looks at the process.
// That init's socket is closed does not say so: some kernels, such as Debian's
// 6.1.192 and 6.12.118, close descriptors before the process gets its new memory
// and time namespace. Its command line is the last that execve writes, and empty
// until then: proc_pid_cmdline(5). A process that ends is not waited for, nor one
// whose command line cannot be read.
func (c *Container) awaitPayload() {
	file := fmt.Sprintf("/proc/%d/cmdline", c.target.PID)
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		line, err := os.ReadFile(file)
		if err != nil || len(line) > 0 && string(line) != initName+"\x00" || sys.Gone(c.pidfd, time.Millisecond) {
			return
		}
	}
}

// strays finds processes that carry the mark of a container or of a place.
func strays(id string) []int {
	var pids []int
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil
	}
	mark := []byte(pid1.IDVariable + "=" + id)
	for _, file := range environs {
		env, err := os.ReadFile(file)
		if err != nil {
			continue // gone, or not ours to read
		}
		for _, variable := range bytes.Split(env, []byte{0}) {
			if bytes.Equal(variable, mark) {
				if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && pid != os.Getpid() {
					pids = append(pids, pid)
				}
			}
		}
	}
	return pids
}
