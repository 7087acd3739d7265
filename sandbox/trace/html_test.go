package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// recorded are the Events of three stages, told by a microVM and written down by
// a test of cmd/cutaway.
func recorded(t *testing.T) []Event {
	t.Helper()
	text, err := os.ReadFile("testdata/recorded.ndjson")
	require.NoError(t, err)
	var events []Event
	for line := range bytes.Lines(text) {
		var e Event
		require.NoError(t, json.Unmarshal(line, &e))
		events = append(events, e)
	}
	return events
}

// of are the Events of one stage.
func of(events []Event, stage string) []Event {
	return slices.DeleteFunc(slices.Clone(events), func(e Event) bool { return e.Stage != stage })
}

// written is the page of some Events, as bytes.
func written(t *testing.T, events []Event, sum *Summary) string {
	t.Helper()
	var b bytes.Buffer
	page := NewHTML(&b, Conditions{Kernel: "Linux 6.1.0", Cgroups: "v2", Machine: "amd64, processors: 1", Program: "cutaway v1",
		Date: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)})
	for _, e := range events {
		page.Emit(e)
	}
	require.NoError(t, page.Close(sum))
	return b.String()
}

// parsed is the page as a browser would have it.
func parsed(t *testing.T, page string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	return doc
}

// elements are those of a name, "" for all, in order.
func elements(n *html.Node, name string) []*html.Node {
	var out []*html.Node
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && (name == "" || c.Data == name) {
			out = append(out, c)
		}
	}
	return out
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// textOf is what is written in an element, with single spaces.
func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && !slices.Contains(inline, c.Data) {
			b.WriteByte(' ')
		}
		if c.Type == html.TextNode && c.Parent.Data != "script" && c.Parent.Data != "style" {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// outline is a page for the eye: what is in what, without the words of style.
func outline(n *html.Node, depth int) string {
	var b strings.Builder
	for c := range n.ChildNodes() {
		if c.Type != html.ElementNode {
			continue
		}
		in := depth
		switch c.Data {
		case "nav", "main", "section", "article", "figure", "ul", "ol", "dl", "details", "footer", "header", "body":
			fmt.Fprintf(&b, "%s%s\n", strings.Repeat("  ", depth), strings.TrimSpace(c.Data+" "+attr(c, "aria-label")))
			in++
		case "h1", "h2", "h3", "h4", "p", "summary", "figcaption", "pre", "dt", "dd", "button", "a":
			fmt.Fprintf(&b, "%s%s: %s\n", strings.Repeat("  ", depth), c.Data, textOf(c))
			continue
		case "li":
			if !has(c, "ul", "p", "details", "a") {
				fmt.Fprintf(&b, "%s- %s\n", strings.Repeat("  ", depth), textOf(c))
				continue
			}
			if head := headOf(c); head != "" {
				fmt.Fprintf(&b, "%s- %s\n", strings.Repeat("  ", depth), head)
				in++
			}
		}
		if c.Data == "details" && attr(c, "class") != "toc" { // folded
			fmt.Fprintf(&b, "%ssummary: %s\n", strings.Repeat("  ", in), textOf(elements(c, "summary")[0]))
			continue
		}
		b.WriteString(outline(c, in))
	}
	return b.String()
}

// headOf is what is written in an element before the first block in it.
func headOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.ChildNodes() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		} else if slices.Contains(inline, c.Data) {
			b.WriteString(textOf(c))
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// inline are elements that break no line.
var inline = []string{"code", "span", "wbr", "q", "strong"}

func has(n *html.Node, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return len(elements(n, name)) > 0 })
}

// The structure of a page, to be read: headings, landmarks, boxes in boxes.
func TestPageOutline(t *testing.T) {
	golden(t, "page.txt", []byte(outline(parsed(t, written(t, of(recorded(t), "03-uts"), nil)), 0)))
}

// void are the elements that are never closed: HTML, "Void elements".
var void = []string{"meta", "wbr", "br"}

// Every element is closed where it should be, so that no parser has to guess;
// every id is there once, and whatever is referred to by one exists.
func TestPageIsWellFormed(t *testing.T) {
	for name, page := range pages(t) {
		t.Run(name, func(t *testing.T) {
			var open []string
			written := 0
			for z := html.NewTokenizer(strings.NewReader(page)); ; {
				kind := z.Next()
				if kind == html.ErrorToken {
					require.Equal(t, io.EOF, z.Err())
					break
				}
				tag, _ := z.TagName()
				switch {
				case kind == html.StartTagToken:
					written++
					if !slices.Contains(void, string(tag)) {
						open = append(open, string(tag))
					}
				case kind == html.EndTagToken:
					require.NotEmpty(t, open)
					require.Equal(t, open[len(open)-1], string(tag), "closed out of order")
					open = open[:len(open)-1]
				}
			}
			require.Empty(t, open)
			doc := parsed(t, page)
			require.Len(t, elements(doc, ""), written, "the parser has closed or opened something of its own accord")
			ids := map[string]bool{}
			for _, e := range elements(doc, "") {
				if id := attr(e, "id"); id != "" {
					require.False(t, ids[id], "two elements are called %s", id)
					ids[id] = true
				}
			}
			for _, e := range elements(doc, "") {
				for _, id := range []string{strings.TrimPrefix(attr(e, "href"), "#"), attr(e, "aria-labelledby")} {
					require.True(t, id == "" || ids[id], "nothing is called %s", id)
				}
			}
			require.Len(t, elements(doc, "h1"), 1)
			require.Len(t, elements(doc, "main"), 1)
		})
	}
}

// pages are of all that there can be on one.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	events := recorded(t)
	for _, stage := range []string{"03-uts", "06-net", "15-container"} {
		require.NotEmpty(t, of(events, stage))
		out[stage] = written(t, of(events, stage), nil)
	}
	out["tour"] = written(t, events, &Summary{Stages: 3, Steps: 20, Kinds: 24, Lines: []string{"8 namespaces"}, Probes: 30, Failed: 1,
		Lacks: []string{"09-time: needs 6.3"}, Compared: 9, Left: []string{"new: mount 5"}})
	for _, s := range scenes() {
		out["scene "+s.name] = written(t, s.events, nil)
	}
	return out
}

// references are attributes that make a browser fetch or do something.
var references = regexp.MustCompile(`^(src|srcset|action|formaction|data|poster|ping|background|style|on.*)$`)

// Opened anywhere, the page asks nobody for anything.
func TestPageRefersToNothingElse(t *testing.T) {
	for name, page := range pages(t) {
		doc := parsed(t, page)
		for _, e := range elements(doc, "") {
			for _, a := range e.Attr {
				require.False(t, references.MatchString(a.Key), "%s: <%s %s>", name, e.Data, a.Key)
				require.True(t, a.Key != "href" || strings.HasPrefix(a.Val, "#"), "%s: %s", name, a.Val)
			}
			require.NotContains(t, []string{"link", "img", "iframe", "object", "embed", "base", "form"}, e.Data)
		}
		style, script := elements(doc, "style"), elements(doc, "script")
		require.Len(t, style, 1)
		require.Len(t, script, 1)
		require.NotRegexp(t, `url\(|@import`, style[0].FirstChild.Data)
		require.NotRegexp(t, `fetch|XMLHttp|import|innerHTML|eval|https?:`, script[0].FirstChild.Data)
		policy := attr(elements(doc, "meta")[1], "content")
		require.Contains(t, policy, "default-src 'none'")
		require.Contains(t, policy, digest(style[0].FirstChild.Data))
		require.Contains(t, policy, digest(script[0].FirstChild.Data))
	}
}

// Whatever the Events tell of is on the page: every object by its id, every
// call, every command, every verdict.
func TestPageShowsEverything(t *testing.T) {
	events := recorded(t)
	text := textOf(parsed(t, written(t, events, nil)))
	shown := func(what string) {
		require.True(t, strings.Contains(text, strings.Join(strings.Fields(clean(what)), " ")), "not on the page: %s", what)
	}
	objects := 0
	for _, e := range events {
		for _, list := range [][]inspect.Object{e.Created, e.Changed, e.Removed} {
			for _, o := range list {
				shown(o.ID)
				objects++
			}
		}
		for _, c := range e.Calls {
			shown(c.String())
		}
		for _, what := range []string{e.Why, e.Shell, e.Cmd, e.Output, e.Expect, e.Text, e.Title, e.Belief, e.Lesson, e.Code} {
			shown(what)
		}
	}
	require.Greater(t, objects, 200)
	for _, what := range []string{"Linux 6.1.0", "v2", "cutaway v1", "Fri, 27 Nov 2026"} {
		shown(what)
	}
}

// What a program inside has printed, or an image is called, stays text.
func TestPageIsSafe(t *testing.T) {
	const evil = `</script></style></code><script>alert(1)</script><img src=x onerror=alert(1)>" onclick="alert(1)" x='{{.Style}}`
	e := Event{Stage: "03-" + evil, Title: evil, Belief: evil, SoFar: []string{evil, evil}, Op: evil, Why: evil, Shell: evil, Text: evil, Hint: evil,
		Cmd: evil, Output: evil + "\x1b[2J", Expect: evil, OK: ptr(false), Signal: evil, Lacks: evil, Lesson: evil, Code: evil, Read: evil,
		Next: evil, Where: evil, Created: []inspect.Object{object(inspect.Kind(evil), evil, evil, evil, evil), object(inspect.Mnt, evil, evil, evil, evil),
			object(inspect.Process, evil, evil, "mnt", evil, "command", evil)}}
	e.Changed = []inspect.Object{object(inspect.UTS, evil, evil, "nodename", evil)}
	e.Changed[0].Was = detail("nodename", "x")
	e.Calls = append(e.Calls, call(evil, 0, evil))
	e.Rows, e.Sides = []inspect.Row{{Kind: inspect.Mnt, Name: evil, A: evil, B: evil}}, []string{evil, evil}
	var events []Event
	for _, kind := range []string{StageEvent, EarlierEvent, NoteEvent, PredictEvent, StepEvent, ProbeEvent, ExitEvent, ErrorEvent, PlanEvent, evil} {
		e.Event = kind
		events = append(events, e)
	}
	page := written(t, events, &Summary{Lines: []string{evil}, Lacks: []string{evil}, Left: []string{evil}, Compared: 1})
	doc := parsed(t, page)
	require.Len(t, elements(doc, "script"), 1)
	require.Empty(t, elements(doc, "img"))
	for _, e := range elements(doc, "") {
		for _, a := range e.Attr {
			require.NotContains(t, a.Key, "onclick")
			require.NotContains(t, a.Key, "onerror")
		}
	}
	require.Equal(t, pageJS, elements(doc, "script")[0].FirstChild.Data)
	require.Contains(t, textOf(doc), evil)
	require.Contains(t, textOf(doc), `\x1b[2J`)
	require.NotContains(t, page, "\x1b")
}

// Nothing that went wrong is passed over.
func TestPageShowsWhatWentWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []Event
		want   []string
	}{
		{"a stage this machine lacks", []Event{{Event: StageEvent, Stage: "09-time", Title: "a clock"},
			{Event: StageEvent, Stage: "09-time", Done: true, Lacks: "needs Linux 6.3"}},
			[]string{"This machine cannot do this stage: needs Linux 6.3", "what it is about ✗, not as it should be"}},
		{"an error before anything happened", []Event{{Event: ErrorEvent, Text: "mount: EBUSY", Hint: "wait"}}, []string{"error mount: EBUSY", "hint: wait"}},
		{"an error of the whole run", append(utsScene(), Event{Event: ErrorEvent, Text: "the host is not what it was"}),
			[]string{"What went wrong error the host is not what it was"}},
		{"surprises", surprisesScene(), []string{"expected mount to change; observed: nothing",
			"expected kernel parameter to stay as it was; observed: a change", "✗ NOT as expected: expected the new name",
			"the payload was killed by SIGKILL; exit status 137", "hint: put the lab's state on tmpfs"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := textOf(parsed(t, written(t, c.events, nil)))
			for _, want := range c.want {
				require.Contains(t, text, want)
			}
		})
	}
}

// A page of what was not done does not say that it was.
func TestPageOfAPlan(t *testing.T) {
	text := textOf(parsed(t, written(t, []Event{{Event: StageEvent, Stage: "03-uts"},
		{Event: PlanEvent, Step: 1, Of: 1, Where: "init", Op: "unshare", Why: "first", New: true, Calls: []sys.Call{call("unshare", 0, "CLONE_NEWUTS")}}}, nil)))
	require.Contains(t, text, "in init, new in this stage unshare(CLONE_NEWUTS) why now first")
	require.Contains(t, text, "Nothing of this was done")
	require.NotContains(t, text, "= 0")
	require.NotContains(t, text, "Kernel objects")
}

// A run that never began has no page, rather than an empty one.
func TestPageOfNothing(t *testing.T) {
	require.Empty(t, written(t, nil, nil))
}
