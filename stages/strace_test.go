package stages

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cutaway/sandbox/trace"

	"github.com/stretchr/testify/require"
)

// traced is one system call as strace(1) saw it.
type traced struct {
	tid, pid int // the thread that made it, and its process
	name     string
	args     []string
	ret      string // "0", "-1", "?" for one that did not return
	errno    string
}

// recording is a run of cutaway: its events, and the calls of all its processes
// in the order in which they were begun.
type recording struct {
	host   int // pid of cutaway
	events []trace.Event
	calls  []traced
	marks  []int       // for each event the index in calls of the write that told it
	ended  map[int]int // thread -> how many calls there were when it ended
}

// unwatched are the calls that strace need not print. Everything else is
// compared with what cutaway prints; so a call must be in here for a reason.
var unwatched = strings.Join([]string{
	// They only look.
	"%stat", "%lstat", "%fstat", "%statfs", "%fstatfs", "read", "pread64", "readv", "?readlink", "readlinkat", "getdents64",
	"?access", "faccessat", "?faccessat2", "getcwd", "getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr",
	"getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getgroups", "?getpgrp", "getpgid", "getsid", "capget",
	"uname", "getrusage", "sysinfo", "getrandom", "sched_getaffinity", "clock_gettime", "gettimeofday",
	// A process's own memory, signals, threads and time, which the Go runtime looks after.
	"%memory", "%signal", "futex", "set_robust_list", "set_tid_address", "rseq", "?arch_prctl", "restart_syscall",
	"sched_yield", "nanosleep", "clock_nanosleep", "timer_create", "timer_settime", "timer_delete", "exit", "exit_group", "wait4", "waitid",
	// A process's own mask for the files it makes.
	"umask",
	// A process's own descriptors: they end with it. What is done through them to
	// something that others see is write, ioctl, sendto and the like.
	"close", "close_range", "?dup2", "dup", "dup3", "fcntl", "flock", "lseek", "pipe2", "eventfd2", "epoll_create1", "epoll_ctl", "?epoll_wait",
	"epoll_pwait", "?epoll_pwait2", "?poll", "ppoll", "pidfd_open", "memfd_create", "socket", "socketpair", "bind", "connect", "listen",
	"accept4", "recvfrom", "recvmsg", "getsockname", "getpeername", "getsockopt", "setsockopt",
}, ",")

// record plays a stage under strace. The soft limit of open files is below the
// hard one, as on most machines, so that what the Go runtime does about it is
// seen.
func record(t *testing.T, state, slug string) recording {
	t.Helper()
	dir := t.TempDir()
	log, events := filepath.Join(dir, "strace"), filepath.Join(dir, "events")
	out, err := os.Create(events)
	require.NoError(t, err)
	defer out.Close()
	cmd := exec.CommandContext(t.Context(), "prlimit", "--nofile=1000:", "strace", "-f", "-q", "--seccomp-bpf", "-y", "-s", "4096",
		"-e", "trace=!"+unwatched, "-o", log, cutaway, "--state", state, "stage", slug, "--in", "host", "--all", "--format", "json")
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+dir)
	cmd.Stdout = out
	var complaint strings.Builder
	cmd.Stderr = &complaint
	err = cmd.Run()
	// That a probe did not show what it should, for strace made it late, is the
	// business of other tests.
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 {
		t.Fatalf("strace: %v: %s", err, &complaint)
	}
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	r := parseStrace(string(text))
	for line := range strings.Lines(readAll(t, events)) {
		r.events = append(r.events, parseEvent(t, line))
	}
	r.mark()
	require.Len(t, r.marks, len(r.events), "each event is one write")
	return r
}

// mark finds the writes that tell the events: those to cutaway's standard output.
func (r *recording) mark() {
	for i, c := range r.calls {
		if fd, _, _ := strings.Cut(c.args[0], "<"); c.pid == r.host && c.name == "write" && fd == "1" {
			r.marks = append(r.marks, i)
		}
	}
}

// parseStrace reads the output of strace -f -o. A call that others interrupt is
// printed in two parts; it takes the place of the first.
func parseStrace(text string) recording {
	r := recording{ended: map[int]int{}}
	begun := map[int]int{} // thread -> index of its unfinished call
	var texts []string
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		number, rest, _ := strings.Cut(lines.Text(), " ")
		tid, err := strconv.Atoi(number)
		rest = strings.TrimLeft(rest, " ")
		switch {
		case err != nil, strings.HasPrefix(rest, "--- "), // a signal
			strings.HasPrefix(rest, "???"): // somebody was killed on the way into a call
		case strings.HasPrefix(rest, "+++ "):
			r.ended[tid] = len(r.calls)
		case strings.HasPrefix(rest, "<... "):
			_, rest, _ = strings.Cut(rest, " resumed>")
			texts[begun[tid]] += rest
		default:
			rest, unfinished := strings.CutSuffix(rest, " <unfinished ...>")
			if unfinished {
				begun[tid] = len(texts)
			}
			texts = append(texts, rest)
			r.calls = append(r.calls, traced{tid: tid})
		}
	}
	for i, text := range texts {
		r.calls[i].parse(text)
	}
	r.processes()
	return r
}

// parse takes "name(args) = ret ERRNO (words)" apart.
func (c *traced) parse(text string) {
	call, result := text, "?"
	if i := strings.LastIndex(text, " = "); i >= 0 {
		if before := strings.TrimRight(text[:i], " "); strings.HasSuffix(before, ")") {
			call, result = before[:len(before)-1], text[i+3:]
		}
	}
	c.ret, c.errno, _ = strings.Cut(result, " ")
	c.ret, _, _ = strings.Cut(c.ret, "<")
	c.errno, _, _ = strings.Cut(c.errno, " ")
	name, args, _ := strings.Cut(call, "(")
	c.name, c.args = name, splitArgs(args)
}

// splitArgs splits at the commas that are outside of quotes and brackets; <> are
// the brackets of what strace -y says of a descriptor.
func splitArgs(text string) []string {
	var args []string
	depth, begin := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				args = append(args, strings.TrimSpace(text[begin:i]))
				begin = i + 1
			}
		}
	}
	return append(args, strings.TrimSpace(text[begin:]))
}

// begets are the calls that return a child or a new thread.
var begets = map[string]bool{"clone": true, "clone3": true, "fork": true, "vfork": true}

// processes finds out which process each thread belongs to.
func (r *recording) processes() {
	if len(r.calls) == 0 {
		return
	}
	r.host = r.calls[0].tid
	process := map[int]int{r.host: r.host}
	for i := range r.calls {
		c := &r.calls[i]
		if _, known := process[c.tid]; !known {
			process[c.tid] = c.tid
		}
		c.pid = process[c.tid]
		child, err := strconv.Atoi(c.ret)
		if err != nil || child <= 0 || !begets[c.name] {
			continue
		}
		process[child] = child
		if strings.Contains(strings.Join(c.args, " "), "CLONE_THREAD") {
			process[child] = c.pid
		}
	}
}
