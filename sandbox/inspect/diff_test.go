package inspect

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomSnapshot holds a random part of a small set of objects with random
// facts, so that any two share some, differ in some and lack some.
func randomSnapshot(r *rand.Rand) *Snapshot {
	s := &Snapshot{}
	for _, kind := range []Kind{UTS, Process, Mount} {
		for id := range 5 {
			if r.IntN(3) == 0 {
				continue
			}
			d := Detail{}.with("a", strconv.Itoa(r.IntN(2))).with("b", []string{"", "x"}[r.IntN(2)])
			d = d.withVolatile("v", strconv.Itoa(r.IntN(100)))
			if r.IntN(4) == 0 {
				d = d.with("started", strconv.Itoa(r.IntN(2)))
			}
			s.Objects = append(s.Objects, Object{Kind: kind, ID: strconv.Itoa(id), Detail: d})
		}
	}
	return s
}

func TestCompareProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a, b := randomSnapshot(r), randomSnapshot(r)
		require.True(t, Compare(a, a).Empty())
		there, back := Compare(a, b), Compare(b, a)
		require.Equal(t, ids(there.Created), ids(back.Removed))
		require.Equal(t, ids(there.Removed), ids(back.Created))
		require.Equal(t, ids(there.Changed), ids(back.Changed))
		require.Equal(t, there.Kinds(), back.Kinds())
		for i, o := range there.Changed {
			require.NotEmpty(t, o.Was)
			for _, f := range o.Was {
				require.NotEqual(t, "v", f.Key, "volatile facts are not changes")
				require.NotEqual(t, f.Value, o.Detail.Get(f.Key))
				require.Equal(t, f.Value, a.Find(o.Kind, o.ID).Detail.Get(f.Key))
				require.Equal(t, o.Detail.Get(f.Key), back.Changed[i].Was.Get(f.Key))
			}
		}
		require.Equal(t, len(b.Objects), len(there.Created)+len(a.Objects)-len(there.Removed))
		require.Equal(t, ids(b.Objects), ids(Compare(nil, b).Created))
		require.Equal(t, ids(b.Objects), ids(Compare(b, nil).Removed))
	}
}

func TestReusedIDIsAnotherObject(t *testing.T) {
	at := func(ns, device, options string) *Snapshot {
		return &Snapshot{Objects: []Object{{Kind: Mount, ID: "mount 9", Detail: Detail{}.
			with("in", ns).with("device", device).with("options", options)}}}
	}
	require.Len(t, Compare(at("a", "0:1", "rw"), at("a", "0:1", "ro")).Changed, 1)
	d := Compare(at("a", "0:1", "rw"), at("a", "0:2", "rw"))
	require.Empty(t, d.Changed)
	require.Len(t, d.Created, 1)
	require.Len(t, d.Removed, 1)
}

func TestDetailKeepsItsOrderInJSON(t *testing.T) {
	o := Object{Kind: UTS, ID: "uts:[1]", Where: "/proc/1/ns/uts", Detail: Detail{}.
		with("z", "1").with("a", `quote " and <tag>`).with("m", "ü")}
	text, err := json.Marshal(o)
	require.NoError(t, err)
	require.Equal(t, `{"kind":"uts","id":"uts:[1]","where":"/proc/1/ns/uts",`+
		`"detail":{"z":"1","a":"quote \" and \u003ctag\u003e","m":"ü"}}`, string(text))
	var back Object
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, o, back)
	require.Error(t, json.Unmarshal([]byte(`{"detail":[1]}`), &back))
	require.Error(t, json.Unmarshal([]byte(`{"detail":{"a":1}}`), &back))
}

// Every Kind declared in object.go is listed in Kinds and has a one-line form.
func TestEveryKindIsListed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "object.go", nil, 0)
	require.NoError(t, err)
	var declared []Kind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && fmt.Sprint(spec.Type) == "Kind" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			declared = append(declared, Kind(value))
		}
		return true
	})
	require.NotEmpty(t, declared)
	require.ElementsMatch(t, declared, Kinds)
	for _, kind := range Kinds {
		require.NotEmpty(t, phrases[kind], kind)
	}
	for _, kind := range nsKinds {
		require.NotEmpty(t, nsFile[kind], kind)
	}
}

func TestShort(t *testing.T) {
	o := Object{Kind: UTS, ID: "uts:[4026532301]", Detail: Detail{}.with("nodename", "cutaway")}
	require.Equal(t, "uts:[4026532301]  nodename cutaway", o.Short())
}

func TestPair(t *testing.T) {
	proc := func(uts, caps, uid string, mounts ...string) *Snapshot {
		s := &Snapshot{Objects: []Object{
			{Kind: UTS, ID: uts},
			{Kind: Process, ID: "1", Detail: Detail{}.with("uid", uid).with("started", uid).with("uts", uts)},
			{Kind: Caps, ID: "1", Detail: Detail{}.with("effective", caps)},
		}}
		for i, m := range mounts {
			s.Objects = append(s.Objects, Object{Kind: Mount, ID: fmt.Sprint("mount ", i, uts), Detail: Detail{}.
				with("target", m).with("type", "tmpfs").with("in", uts)})
		}
		return s
	}
	rows := Pair(
		proc("uts:[1]", "CAP_CHOWN CAP_KILL", "0", "/", "/a"),
		proc("uts:[2]", "CAP_KILL CAP_NET_RAW", "0", "/", "/b", "/b"))
	require.Equal(t, []Row{
		{UTS, "namespace", "uts:[1]", "uts:[2]", false},
		{Process, "uid", "0", "0", true},
		{Caps, "effective", "also CAP_CHOWN", "also CAP_NET_RAW", false},
		{Mount, "/", "tmpfs", "tmpfs", true},
		{Mount, "/a", "tmpfs", "", false},
		{Mount, "/b", "", "tmpfs | tmpfs", false},
	}, rows)
}
