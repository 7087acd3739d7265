package stages

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"cutaway/sandbox/inspect"
	"cutaway/stages/buildup"
)

// container is all of it, run by the image's own config.
var container = Stage{
	Part:   buildup.Container,
	Title:  "the complete container",
	Belief: "somewhere in the kernel there is a container",
	Lesson: "Namespaces, mounts, a control group, links, capabilities, a filter, layers: none of them is a container. The kernel has no such thing; the word is for all of them around one process.",
	Code:   "sandbox/plan/plan.go",
	Look:   lookContainer,
}

func lookContainer(ctx context.Context, l *Look) {
	lookPayload(l)
	l.Note("the payload is the image's own program, which takes no orders; to look from inside there is a second container, the same but for a shell")
	spec := l.Again()
	spec.Process.Args = []string{buildup.Shell}
	second, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	defer l.ended(second)
	want := fmt.Sprintf("APP=cutaway, in %s\nuid=%d", spec.Process.Cwd, spec.Process.User.UID)
	second.Inside("hello", "the image's user, directory and environment", func(o Out) bool { return o.Has(want) })
	lookObjects(l)
	compareWithRunc(ctx, second)
}

// lookPayload looks at the program that the image names, from outside.
func lookPayload(l *Look) {
	p, proc := l.Container.Spec.Process, fmt.Sprintf("/proc/%d", l.Container.PID())
	page := func(text string) bool { return strings.Contains(text, "Hello from inside a container") }
	if address := bare(l.Container.Spec.Net.Address); address != "" {
		address += fmt.Sprintf(":%d", buildup.WebPort)
		l.Outside("curl -s http://"+address+"/ | grep h1", "the image's program serves its page", l.soon(heading(address), page), page)
	}
	served := func(text string) bool { return strings.Contains(text, "httpd") && !strings.Contains(text, "serve") }
	l.Outside(`tr '\0' ' ' < `+proc+"/cmdline", "the image's Cmd, which became a web server", l.soon(words(proc+"/cmdline"), served), served)
	l.Outside(`tr '\0' ' ' < `+proc+"/environ", "the image's Env, beside the lab's", words(proc+"/environ"), func(text string) bool {
		have := strings.Fields(text)
		return len(have) > 0 && !slices.ContainsFunc(l.Materials.Config.Env, func(e string) bool { return !slices.Contains(have, e) })
	})
	l.Outside("readlink "+proc+"/cwd", "the image's WorkingDir", func() (string, error) { return os.Readlink(proc + "/cwd") }, is(p.Cwd))
	if !l.Lab.Features.Root() {
		l.Note("the image asks for user %s; a container of an ordinary user has uid 0 only, which is you", l.Materials.Config.User)
	}
	uid := strconv.Itoa(l.Container.Spec.RootUID() + p.User.UID)
	l.Outside("grep Uid "+proc+"/status", "the user, as the host counts", readLine(proc+"/status", "Uid:"),
		is(strings.Join([]string{"Uid:", uid, uid, uid, uid}, " ")))
}

// words reads a file whose parts end in a zero byte.
func words(path string) func() (string, error) {
	return func() (string, error) {
		text, err := os.ReadFile(path)
		return strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " ")), err
	}
}

// soon reads again and again for a while: a web server takes a moment to start.
func (l *Look) soon(read func() (string, error), check func(string) bool) func() (string, error) {
	return func() (string, error) {
		for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			text, err := read()
			if err == nil && check(text) || time.Now().After(deadline) || l.over() {
				return text, err
			}
		}
	}
}

// lookObjects lists by kind all that the kernel has for this container.
func lookObjects(l *Look) {
	pid := l.Container.PID()
	l.Outside(fmt.Sprintf("cutaway inspect %d   # counted by kind", pid), "none of them is a container", func() (string, error) {
		s, err := inspect.OfProcess(pid)
		if err != nil {
			return "", err
		}
		var counts []string
		for _, kind := range inspect.Kinds {
			if n := len(s.Of(kind)); n > 0 {
				counts = append(counts, fmt.Sprintf("%d %s", n, kind))
			}
		}
		return strings.Join(counts, ", "), nil
	}, func(text string) bool {
		return len(strings.Split(text, ", ")) > 10 && strings.Contains(text, "1 process") && !strings.Contains(text, "container")
	})
}
