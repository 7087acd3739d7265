package stages

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cutaway/sandbox/sys"
	"cutaway/sandbox/trace"

	"github.com/stretchr/testify/require"
)

// TestTruth plays every stage under strace and compares the calls that its
// steps print with those that were made, both ways: none is missing, none is
// invented, and arguments and results are the same. Every process counts until
// the payload runs; what happens from then on is the business of probes.
func TestTruth(t *testing.T) {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	compared := 0
	for _, s := range All {
		if s.Lacks(l.Features) != nil {
			continue // the tests of the stages say why
		}
		t.Run(s.Slug, func(t *testing.T) {
			_, err := prepare(t.Context(), l, store, s)
			require.NoError(t, err)
			u := newRules(record(t, l.Dirs.Data, s.Slug), l.Dirs)
			lies, n := u.check()
			for _, lie := range lies {
				t.Error(lie)
			}
			require.Positive(t, n)
			compared += n
			for _, e := range u.events { // all steps, where the tests of the stages show the new ones
				require.Empty(t, append(e.Unexpected, e.Missing...), "step %d, %s", e.Step, e.Op)
			}
			if s.Slug == privileges.Slug && len(lies) == 0 {
				notices(t, u)
			}
		})
	}
	figure(t, "%d calls compared with strace, both ways", compared)
}

// notices has the steps print what is not true, one call at a time: a call less,
// one twice, with another argument, with another result. Each time it shows.
func notices(t *testing.T, u rules) {
	lie := func(i int, calls []sys.Call) {
		t.Helper()
		truth := u.events[i].Calls
		u.events[i].Calls = calls
		require.NotEmpty(t, u.step(i), "%v in place of %v", calls, truth)
		u.events[i].Calls = truth
	}
	for i, e := range u.events {
		for j, c := range e.Calls {
			lie(i, slices.Delete(slices.Clone(e.Calls), j, j+1))
			lie(i, slices.Insert(slices.Clone(e.Calls), j, c))
			other := func(c sys.Call) {
				calls := slices.Clone(e.Calls)
				calls[j] = c
				lie(i, calls)
			}
			other(sys.Call{Name: c.Name, Args: slices.Concat(c.Args, []string{"{type=RTM_DELLINK}"}), Ret: c.Ret})
			other(sys.Call{Name: c.Name, Args: c.Args, Ret: -1, Errno: "EPERM"})
		}
	}
}

// check compares step by step, and gives what differs and how many calls there
// were.
func (r rules) check() (lies []string, compared int) {
	for k, e := range r.events {
		lies = append(lies, r.step(k)...)
		compared += len(e.Calls)
	}
	return lies, compared
}

// step compares the calls of event k, if it is a step: those begun after the
// event before and before this one, as the host tells of each step before it
// begins the next.
func (r rules) step(k int) (lies []string) {
	e := r.events[k]
	if e.Event != trace.StepEvent {
		return nil
	}
	var made []int
	for i := r.marks[max(k-1, 0)] + 1; i < r.marks[k]; i++ {
		if r.changed[i] && !(i > r.begin && r.payload[r.calls[i].pid]) {
			made = append(made, i)
		}
	}
	for _, lie := range append(r.compare(e, made), r.requested(k)...) {
		lies = append(lies, fmt.Sprintf("step %d, %s: %.500s", e.Step, e.Op, lie))
	}
	return lies
}

// compare finds what of a step's calls was printed and not made, or made and not
// printed.
func (r rules) compare(e trace.Event, made []int) (lies []string) {
	var printed, actual []string
	for _, c := range e.Calls {
		if c.Name == strings.ToLower(c.Name) { // a request, GET, is no system call
			printed = append(printed, r.printed(c, e.PID))
		}
	}
	for _, i := range made {
		actual = append(actual, r.actual(i))
	}
	i, j := 0, 0
	for i < len(actual) || j < len(printed) {
		switch {
		case i < len(actual) && j < len(printed) && actual[i] == printed[j]:
			i++
			j++
		case i < len(actual) && !slices.Contains(printed[j:], actual[i]):
			if !r.excused(made[i], e.Op) {
				lies = append(lies, "not printed: "+actual[i])
			}
			i++
		case j < len(printed) && !slices.Contains(actual[i:], printed[j]):
			lies = append(lies, "not made: "+printed[j])
			j++
		default:
			return append(lies, "made in another order: "+actual[i])
		}
	}
	return lies
}

// requested compares the requests that a step prints with those that went over
// a socket. Each registry is asked first whether it is one, by GET /v2/; the
// lab's own asks itself.
func (r rules) requested(k int) (lies []string) {
	var printed, made []string
	for _, c := range r.events[k].Calls {
		if u, err := url.Parse(c.Args[0]); c.Name == "GET" && err == nil && u.Scheme == "http" && u.Path != "/v2/" {
			printed = append(printed, u.Path)
		}
	}
	for _, c := range r.calls[r.marks[max(k-1, 0)]:r.marks[k]] {
		if request, ok := strings.CutPrefix(c.args[min(1, len(c.args)-1)], `"GET `); ok && c.name == "write" {
			if path, _, _ := strings.Cut(request, " "); path != "/v2/" {
				made = append(made, path)
			}
		}
	}
	slices.Sort(printed) // layers are fetched side by side
	slices.Sort(made)
	if !slices.Equal(printed, made) {
		lies = append(lies, fmt.Sprintf("requests printed: %q, made: %q", printed, made))
	}
	return lies
}

// printed is a call of an event in the one form that can be compared.
func (r rules) printed(c sys.Call, pid int) string {
	args := slices.Clone(c.Args)
	if c.Name == "sendto" || c.Name == "sendmsg" {
		args = nil
		for _, m := range printedType.FindAllStringSubmatch(strings.Join(c.Args, ", "), -1) {
			args = append(args, m[1])
		}
	}
	for i := range args {
		args[i] = strings.ReplaceAll(plain(args[i]), "</proc/self/", fmt.Sprintf("</proc/%d/", pid))
	}
	return fmt.Sprintf("%s(%s) = %d %s", c.Name, strings.Join(args, ", "), c.Ret, c.Errno)
}

var printedType = regexp.MustCompile(`\{type=(\w+)`)

// actual is a call that was made in that form.
func (r rules) actual(i int) string {
	c := r.calls[i]
	args, ret := slices.Clone(c.args), c.ret
	if args[0] == "" {
		args = nil
	}
	switch c.name {
	case "clone":
		all := fieldsOf(strings.Join(c.args, ", "))
		args = []string{all["flags"]}
	case "clone3":
		in, _, _ := strings.Cut(c.args[0], " => ") // and what comes back
		f := fieldsOf(in)
		args = []string{fmt.Sprintf("{flags=%s, exit_signal=%s, cgroup=<%s>}", f["flags"], f["exit_signal"], r.opened(i, f["cgroup"]))}
	case "sendto", "sendmsg":
		args = c.messages()
		if c.errno == "" { // the number of bytes; what is printed is the kernel's answer
			ret = "0"
		}
	case "setns":
		args[0] = "<" + r.opened(i, args[0]) + ">"
	case "write", "ioctl":
		args[0] = strings.TrimLeft(args[0], "0123456789")
	case "prlimit64":
		args[2] = fmt.Sprintf("{rlim_cur=%d, rlim_max=%d}", c.number(2, "rlim_cur"), c.number(2, "rlim_max"))
	}
	for i := range args {
		args[i] = plain(args[i])
	}
	return fmt.Sprintf("%s(%s) = %s %s", c.name, strings.Join(args, ", "), ret, c.errno)
}

// opened is the path by which a descriptor that call i gets was opened.
func (r rules) opened(i int, fd string) string {
	fd, _, _ = strings.Cut(fd, "<")
	for j := i - 1; j >= 0; j-- {
		if c := r.calls[j]; c.pid == r.calls[i].pid && c.name == "openat" && c.ret == fd {
			path, _ := unquote(c.args[1])
			return path
		}
	}
	return fd
}

var (
	described = regexp.MustCompile(`^(\d+|AT_FDCWD)<.*>(\(deleted\))?$`)
	pointer   = regexp.MustCompile(`^(?:0x[0-9a-f]+|\[)? ?/\* (\d+) vars \*/\]?$`)
	someFlags = regexp.MustCompile(`^[\w|]*\|[\w|]*$`)
	filter    = regexp.MustCompile(`filter=[^}]*`)
)

// plain gives an argument, by strace or by us, in one form.
func plain(arg string) string {
	if text, ok := unquote(arg); ok {
		return strconv.Quote(text)
	}
	if m := described.FindStringSubmatch(arg); m != nil {
		return m[1]
	}
	if m := pointer.FindStringSubmatch(arg); m != nil {
		return m[1] + " vars"
	}
	if strings.HasPrefix(arg, "<socket:") {
		return "<socket>"
	}
	switch {
	case strings.HasPrefix(arg, "{effective="):
		return capabilities(arg)
	case strings.HasPrefix(arg, "{flags="):
		f := fieldsOf(arg)
		return fmt.Sprintf("flags %s, exit_signal %s, cgroup %s", plain(f["flags"]), f["exit_signal"], f["cgroup"])
	}
	if someFlags.MatchString(arg) {
		flags := strings.Split(arg, "|")
		slices.Sort(flags)
		return strings.Join(flags, "|")
	}
	return filter.ReplaceAllString(arg, "filter")
}

// unquote reads a string in double quotes, which C and Go write alike but for
// bytes given as numbers.
func unquote(arg string) (string, bool) {
	if !strings.HasPrefix(arg, `"`) {
		return "", false
	}
	padded := octal.ReplaceAllStringFunc(arg, func(e string) string {
		n, err := strconv.ParseUint(e[1:], 8, 8)
		if err != nil {
			return e
		}
		return fmt.Sprintf(`\x%02x`, n)
	})
	text, err := strconv.Unquote(padded)
	return text, err == nil
}

var octal = regexp.MustCompile(`\\[0-7]{1,3}`)

// capabilities writes the three sets of capset as masks: strace lists what is in
// them, we what is not where that is shorter.
func capabilities(arg string) string {
	text := "{"
	for _, name := range []string{"effective", "permitted", "inheritable"} {
		list := fieldsOf(arg)[name]
		rest, without := strings.CutPrefix(list, "all")
		var mask uint64
		for _, word := range capability.FindAllString(rest+list, -1) {
			n, _ := sys.CapNumber(word)
			mask |= 1 << n
		}
		if without {
			mask = 1<<(sys.LastCap()+1) - 1&^mask
		}
		text += fmt.Sprintf("%s=%#x of %d ", name, mask, bits.OnesCount64(mask))
	}
	return text + "}"
}

var capability = regexp.MustCompile(`CAP_\w+`)

func parseEvent(t *testing.T, line string) (e trace.Event) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(line), &e))
	return e
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}
