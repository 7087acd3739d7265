package trace

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// browser is a chromium that is told what to do by its DevTools protocol, over
// two pipes: https://chromedevtools.github.io/devtools-protocol/
type browser struct {
	t          *testing.T
	to         io.Writer
	from       *bufio.Reader
	session    string
	last       int
	requests   []string // addresses that were asked for
	complaints []string // what the browser logged
}

// patience is how long a browser may take for anything.
const patience = 30 * time.Second

func startBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		program, err = exec.LookPath("chromium-browser")
	}
	require.NoError(t, err, "the test needs a browser: vm/packages.sh install test")
	theirIn, in, err := os.Pipe()
	require.NoError(t, err)
	out, theirOut, err := os.Pipe()
	require.NoError(t, err)
	home, err := os.MkdirTemp("", "cutaway-browser-")
	require.NoError(t, err)
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--remote-debugging-pipe", "--user-data-dir="+filepath.Join(home, "profile"))
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4, as the flag has it
	require.NoError(t, cmd.Start())
	theirIn.Close()
	theirOut.Close()
	late := time.AfterFunc(4*patience, func() { _ = cmd.Process.Kill() })
	b := &browser{t: t, to: in, from: bufio.NewReader(out)}
	t.Cleanup(func() {
		in.Close() // which it takes as the end
		_ = cmd.Wait()
		late.Stop()
		out.Close()
		// Children of it may be about to write their last.
		require.Eventually(t, func() bool { return os.RemoveAll(home) == nil }, patience, 50*time.Millisecond)
	})
	var target struct{ TargetID, SessionID string }
	b.result(b.call("Target.createTarget", map[string]any{"url": "about:blank"}), &target)
	b.result(b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}), &target)
	b.session = target.SessionID
	for _, domain := range []string{"Page", "Network", "Log", "Runtime"} {
		b.call(domain+".enable", nil)
	}
	return b
}

// begin is for another test to have the browser as it was.
func (b *browser) begin(t *testing.T) {
	b.t = t
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": false})
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "", "features": []any{}})
	b.open("about:blank")
	b.requests, b.complaints = nil, nil
}

// message is what either side says.
type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    any             `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
}

// call has the browser do something and waits until it is done.
func (b *browser) call(method string, params map[string]any) json.RawMessage {
	b.t.Helper()
	b.last++
	said, err := json.Marshal(message{ID: b.last, SessionID: b.session, Method: method, Params: params})
	require.NoError(b.t, err)
	_, err = b.to.Write(append(said, 0))
	require.NoError(b.t, err)
	for {
		m := b.hear()
		if m.ID == b.last {
			require.Empty(b.t, string(m.Error), method)
			return m.Result
		}
	}
}

// hear takes the next message; what happened meanwhile is remembered.
func (b *browser) hear() message {
	b.t.Helper()
	text, err := b.from.ReadBytes(0)
	require.NoError(b.t, err, "the browser is gone")
	var m message
	require.NoError(b.t, json.Unmarshal(text[:len(text)-1], &m))
	var about struct {
		Request struct{ URL string }
		Entry   struct{ Text string }
	}
	if m.Params != nil {
		b.result(rawOf(b.t, m.Params), &about)
	}
	switch m.Method {
	case "Network.requestWillBeSent":
		b.requests = append(b.requests, about.Request.URL)
	case "Log.entryAdded":
		b.complaints = append(b.complaints, about.Entry.Text)
	case "Runtime.exceptionThrown":
		b.complaints = append(b.complaints, string(text))
	}
	return m
}

func rawOf(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return raw
}

func (b *browser) result(raw json.RawMessage, into any) {
	b.t.Helper()
	require.NoError(b.t, json.Unmarshal(raw, into))
}

// open goes to a page and waits until it is there.
func (b *browser) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url})
	for b.hear().Method != "Page.loadEventFired" {
	}
}

func (b *browser) width(pixels int) {
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": false})
}

// codes are numbers of keys, as browsers have them.
var codes = map[string]int{"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39}

// press presses a key and lets it go.
func (b *browser) press(key string) {
	b.t.Helper()
	down := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
	if key == "Enter" {
		down["text"] = "\r"
	}
	b.call("Input.dispatchKeyEvent", down)
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]})
}

// value is what an expression of the page's language comes to.
func (b *browser) value(expression string) any {
	b.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.result(b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}), &r)
	require.Empty(b.t, string(r.ExceptionDetails), expression)
	return r.Result.Value
}

func (b *browser) text(expression string) string {
	b.t.Helper()
	text, _ := b.value(expression).(string)
	return text
}

func (b *browser) number(expression string) float64 {
	b.t.Helper()
	n, _ := b.value(expression).(float64)
	return n
}

// until waits for what a click or an address brings about.
func (b *browser) until(expression, want string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for b.text(expression) != want && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	require.Equal(b.t, want, b.text(expression))
}

// node is one thing that a screen reader is told of.
type node struct {
	Ignored    bool
	Role, Name struct{ Value string }
	Properties []struct {
		Name  string
		Value struct{ Value any }
	}
}

// level is that of a heading.
func (n node) level() int {
	for _, p := range n.Properties {
		if p.Name == "level" {
			level, _ := p.Value.Value.(float64)
			return int(level)
		}
	}
	return 0
}

// readAloud lists what a screen reader is told of the page.
func (b *browser) readAloud() []node {
	b.t.Helper()
	var tree struct{ Nodes []node }
	b.result(b.call("Accessibility.getFullAXTree", nil), &tree)
	var out []node
	for _, n := range tree.Nodes {
		if !n.Ignored {
			out = append(out, n)
		}
	}
	return out
}
