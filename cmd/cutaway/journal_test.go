package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// spoil leaves the journal of a container as a power failure or an older version
// would have: journal NAME half, first or v1. It is written in place, so whoever
// holds its lock goes on holding it.
func spoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: journal NAME half|first|v1")
	}
	path, text := journalOf(ts, args[0])
	switch args[1] {
	case "half": // the last line was being written
		text = text[:len(text)-10]
	case "first": // the first was
		text = text[:30]
	case "v1":
		text = asVersion1(ts, text)
	default:
		ts.Fatalf("no such state of a journal: %s", args[1])
	}
	ts.Check(os.WriteFile(path, text, 0))
}

func journalOf(ts *testscript.TestScript, name string) (path string, text []byte) {
	paths, err := filepath.Glob("/run/cutaway/*/journal")
	ts.Check(err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		ts.Check(err)
		if bytes.Contains(text, []byte(`"name":"`+name+`"`)) {
			return path, text
		}
	}
	ts.Fatalf("no journal of a container named %s", name)
	return "", nil
}

// asVersion1 writes a journal as version 1 had it: the record holds a whole Spec,
// and so does a line of its own when all of it is known.
func asVersion1(ts *testscript.TestScript, text []byte) []byte {
	var out bytes.Buffer
	write := func(v any) {
		line, err := json.Marshal(v)
		ts.Check(err)
		out.Write(append(line, '\n'))
	}
	var spec map[string]any
	for i, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var fields map[string]any
		ts.Check(json.Unmarshal(line, &fields))
		switch {
		case i == 0:
			spec = map[string]any{"id": fields["id"], "root": map[string]any{"pivot": true}, "process": map[string]any{"args": []string{"/bin/sh"}},
				"linux": map[string]any{"cgroup": fields["cgroup"]}, "net": fields["net"], "state": fields["state"]}
			for _, later := range []string{"net", "state", "cgroup", "args"} {
				delete(fields, later)
			}
			fields["version"], fields["spec"] = 1, spec
		case fields["args"] != nil:
			fields = map[string]any{"spec": spec}
		}
		write(fields)
	}
	return out.Bytes()
}
