package stages

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// lookOwnNetwork connects the container of an ordinary user, who may not plug
// anything into the host's network: a program of theirs reads the packets from a
// tap link in the container, and makes connections of its own of them.
func lookOwnNetwork(ctx context.Context, l *Look) {
	l.Note("and an ordinary user? Their container has a network namespace, and nobody to plug it in. A program of their own can stand between: it reads the container's packets and makes connections of them, as any program may")
	why, programs := l.noOrdinary(), userNetworks()
	if why == "" && len(programs) == 0 {
		why = "neither pasta (package passt) nor slirp4netns is on this machine"
	}
	if why != "" {
		l.Note("not shown: a network without root, because %s", why)
		return
	}
	p, err := startOrdinary(ctx, l)
	if err != nil {
		l.failed("start cutaway as an ordinary user", err)
		return
	}
	defer func() {
		if err := p.end(); err != nil {
			l.failed("end it", err)
		}
	}()
	pid, err := p.payload(ctx)
	if err != nil {
		l.failed("find its payload", err)
		return
	}
	var whys []string
	for _, program := range programs {
		for i := range program {
			program[i] = strings.ReplaceAll(program[i], "PID", fmt.Sprint(pid))
		}
		helper, why := startUserNetwork(ctx, p, program)
		if why == "" {
			lookUserNetwork(l, p, program)
			helper.end()
			return
		}
		whys = append(whys, program[0]+": "+why)
	}
	l.Note("not shown: a network without root. %s", strings.Join(whys, "; "))
}

// userNetworks are the programs on this machine that can do it, each as its
// command line.
func userNetworks() (found [][]string) {
	for _, command := range [][]string{
		{"pasta", "--foreground", "--quiet", "--config-net", "PID"},
		{"slirp4netns", "--configure", "--mtu=1500", "PID", "tap0"},
	} {
		if _, err := exec.LookPath(command[0]); err == nil {
			found = append(found, command)
		}
	}
	return found
}

// userNetwork is such a program at work.
type userNetwork struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
}

func (u userNetwork) end() {
	u.cancel()
	_ = u.cmd.Wait() // it was killed
}

// startUserNetwork starts one as the ordinary user and waits until the container
// has a default route; why says what became of it otherwise.
func startUserNetwork(ctx context.Context, p *ordinaryRun, command []string) (u userNetwork, why string) {
	ctx, u.cancel = context.WithCancel(ctx)
	u.cmd = exec.CommandContext(ctx, command[0], command[1:]...)
	u.cmd.Dir = "/"
	u.cmd.Env = []string{"PATH=/usr/bin:/bin", "XDG_RUNTIME_DIR=" + p.home, "HOME=" + p.home}
	u.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}, Pdeathsig: syscall.SIGKILL}
	var said strings.Builder
	u.cmd.Stderr = &said
	if err := u.cmd.Start(); err != nil {
		u.cancel()
		return u, err.Error()
	}
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if out, err := p.run("ip route"); err == nil && out.Has("default") {
			return u, ""
		}
		if p.gone(u.cmd.Process.Pid) {
			break
		}
	}
	u.end()
	var reasons []string
	for line := range strings.Lines(said.String()) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(line, "syslog") { // that there is none is not why
			reasons = append(reasons, line)
		}
	}
	if len(reasons) == 0 {
		return u, "no route appeared"
	}
	return u, strings.Join(reasons, ", ")
}

// lookUserNetwork fetches a page that the host serves on its loopback, which the
// program has the container's gateway stand for.
func lookUserNetwork(l *Look, p *ordinaryRun, program []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.failed("serve a page", err)
		return
	}
	defer listener.Close()
	go func() {
		// It ends with the listener.
		_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "hello from the host to "+r.RemoteAddr+"\n")
		}))
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	out, err := p.run("ip -o -4 address | grep -v ' lo ' | tr -s ' '")
	l.report("outside", strings.Join(program, " ")+"   # as user "+fmt.Sprint(ordinary), Out{}, "it has made a link in the container's namespace", err == nil)
	l.report("inside 2", "ip -o -4 address | grep -v ' lo '", out, "a tap link, whose other end is that program", err == nil && out.Text != "")
	// The pipe stays open for a moment: pasta before 2024 has trouble with who says
	// at once that there is no more to come.
	command := fmt.Sprintf(`g=$(ip route | awk '/default/ {print $3}'); (printf 'GET / HTTP/1.0\r\n\r\n'; sleep 0.3) | timeout 5 nc $g %d | tail -n 1`, port)
	out, err = p.run(command)
	l.report("inside 2", command, out, "fetched from the host: the program connected, from an address of the host's", err == nil && out.Has("hello from the host to 127.0.0.1:"))
}

// gone reports whether a child of ours has ended.
func (p *ordinaryRun) gone(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(text), ") Z ")
}
