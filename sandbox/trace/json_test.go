package trace

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

func asJSON(t *testing.T, events ...Event) string {
	t.Helper()
	var b bytes.Buffer
	j := NewJSON(&b)
	for _, e := range events {
		j.Emit(e)
	}
	require.NoError(t, j.Err())
	return b.String()
}

// The example in the documentation of the command line, byte for byte.
func TestJSONOfAStep(t *testing.T) {
	got := asJSON(t, Event{Event: StepEvent, Stage: "03-uts", Step: 2, Of: 3, Where: "init", PID: 1234,
		Op: "sethostname", Why: "before <payload>", Shell: "hostname cutaway",
		Calls:   []sys.Call{call("sethostname", 0, `"cutaway"`, "7")},
		Created: []inspect.Object{object(inspect.UTS, "uts:[4026532301]", "/proc/1234/ns/uts", "owner", "user:[4026531837]")}})
	require.Equal(t, `{"schema":1,"event":"step","stage":"03-uts","step":2,"of":3,"where":"init","pid":1234,`+
		`"op":"sethostname","why":"before <payload>","shell":"hostname cutaway",`+
		`"calls":[{"name":"sethostname","args":["\"cutaway\"","7"],"ret":0,"errno":""}],`+
		`"created":[{"kind":"uts","id":"uts:[4026532301]","where":"/proc/1234/ns/uts","detail":{"owner":"user:[4026531837]"}}],`+
		`"changed":[],"removed":[]}`+"\n", got)
}

// What does not belong to an event is left out; lists that do are never null.
func TestJSONHasNoNulls(t *testing.T) {
	got := asJSON(t, Event{Event: NoteEvent, Text: "look"},
		Event{Event: StepEvent, Calls: []sys.Call{{Name: "getpid", Ret: 1}}})
	require.Equal(t, `{"schema":1,"event":"note","text":"look"}`+"\n"+
		`{"schema":1,"event":"step","calls":[{"name":"getpid","args":[],"ret":1,"errno":""}],"created":[],"changed":[],"removed":[]}`+"\n", got)
}

func TestJSONRoundTrip(t *testing.T) {
	for _, s := range scenes() {
		out := asJSON(t, s.events...)
		require.Equal(t, len(s.events), strings.Count(out, "\n"), "one event a line")
		dec := json.NewDecoder(strings.NewReader(out))
		var back []Event
		for range s.events {
			var e Event
			require.NoError(t, dec.Decode(&e), s.name)
			back = append(back, e)
		}
		require.Equal(t, out, asJSON(t, back...), s.name)
		require.Equal(t, string(rendered(t, TextOptions{}, s.events)), string(rendered(t, TextOptions{}, back)),
			"%s: a program that reads the JSON can tell the same story", s.name)
	}
}

// fullDisk takes some bytes and then no more.
type fullDisk struct{ room int }

func (f *fullDisk) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, errors.New("no space left on device")
	}
	f.room -= len(p)
	return len(p), nil
}

func TestFirstWriteErrorIsKept(t *testing.T) {
	note := Event{Event: NoteEvent, Text: "a sentence of some length"}
	disk := &fullDisk{room: 100}
	j := NewJSON(disk)
	text := NewText(&fullDisk{room: 50}, TextOptions{})
	both := Tee(j, text)
	both.Emit(note)
	require.NoError(t, j.Err())
	require.NoError(t, text.Err())
	both.Emit(note)
	both.Emit(note)
	require.ErrorContains(t, j.Err(), "no space left on device")
	require.ErrorContains(t, text.Err(), "no space left on device")
	disk.room = 1000
	j.Emit(note)
	require.Equal(t, 1000, disk.room, "nothing is written after an error")
}

// What earlier stages' steps did is told to programs like a step, and not to
// people, who have seen it there.
func TestEarlierSteps(t *testing.T) {
	e := Event{Event: EarlierEvent, Stage: "03-uts", Of: 4,
		Created: []inspect.Object{object(inspect.Mnt, "mnt:[4026532300]", "/proc/1234/ns/mnt")}}
	require.Equal(t, `{"schema":1,"event":"earlier","stage":"03-uts","of":4,"calls":[],`+
		`"created":[{"kind":"mnt","id":"mnt:[4026532300]","where":"/proc/1234/ns/mnt","detail":{}}],`+
		`"changed":[],"removed":[]}`+"\n", asJSON(t, e))
	require.Empty(t, rendered(t, TextOptions{}, []Event{e}))
}
