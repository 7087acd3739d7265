package sandbox

import (
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// layers says how high each package stands, by the longest prefix that fits. A
// package imports only what is lower; docs/architecture.md has the picture.
var layers = map[string]int{
	"cmd":     4,
	"cmd/run": 3,
	"docs":    0,
	"lessons": 3, "exercises": 3, "stages": 3, "vm": 3,
	"sandbox": 2, "stages/buildup": 2,
	"sandbox/op": 1, "sandbox/plan": 1, "sandbox/pid1": 1, "sandbox/inspect": 1, "sandbox/event": 1, "sandbox/trace": 1,
	"sandbox/features": 1, "sandbox/image": 1, "sandbox/image/store": 1, "sandbox/profile": 1, "sandbox/initbin": 1,
	"sandbox/sys": 0, "vm/deb": 0, "vm/wire": 0,
}

// beside are the imports that stay within a layer.
var beside = map[string][]string{
	"sandbox/event":   {"sandbox/inspect"},
	"sandbox/trace":   {"sandbox/event", "sandbox/inspect"},
	"sandbox/plan":    {"sandbox/op", "sandbox/features"},
	"sandbox/pid1":    {"sandbox/plan", "sandbox/op", "sandbox/features"},
	"sandbox/profile": {"sandbox/op", "sandbox/features"},
	"sandbox/image":   {"sandbox/image", "sandbox/image/store"}, // image: the generator of the built-in image
	"cmd":             {},
	"vm":              {"vm"},
	"exercises":       {"stages", "lessons"},
	"lessons":         {"lessons"},
	"stages":          {"lessons", "vm"}, // vm: the names of packages
}

// module is the import path of the repository's root, which is above this
// package's directory.
const module, root = "cutaway/", ".."

// sourceFile is a Go file and what it imports.
type sourceFile struct {
	path    string // from the root
	imports []string
}

func (f sourceFile) test() bool { return strings.HasSuffix(f.path, "_test.go") }

// prefix gives the longest key of layers that the package lies under.
func prefix(pkg string) (string, bool) {
	for ; pkg != "."; pkg = path.Dir(pkg) {
		if _, ok := layers[pkg]; ok {
			return pkg, true
		}
	}
	return "", false
}

// sources parses the imports of every Go file, for any system and build tag.
func sources(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	fset := token.NewFileSet()
	require.NoError(t, fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch base := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "bin"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		parsed, err := parser.ParseFile(fset, filepath.Join(root, name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		f := sourceFile{path: name}
		for _, i := range parsed.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, imported)
		}
		files = append(files, f)
		return nil
	}))
	require.Greater(t, len(files), 100, "the repository has more Go files than that")
	return files
}

// Imports point one way.
func TestImportsPointOneWay(t *testing.T) {
	for _, f := range sources(t) {
		here, known := prefix(path.Dir(f.path))
		if !known {
			t.Errorf("%s: its package has no layer in imports_test.go", f.path)
			continue
		}
		for _, i := range f.imports {
			imported, ours := strings.CutPrefix(i, module)
			if !ours || f.test() {
				continue // a test may look at what it tests from above
			}
			there, known := prefix(imported)
			if !known || layers[there] >= layers[here] && !slices.Contains(beside[here], there) {
				t.Errorf("%s imports %s, which is not below it", f.path, i)
			}
		}
	}
}

// What a system call is named and numbered is known in one place.
func TestOnlySysKnowsUnix(t *testing.T) {
	seen := false
	for _, f := range sources(t) {
		for _, i := range f.imports {
			if i != "golang.org/x/sys/unix" {
				continue
			}
			seen = true
			if path.Dir(f.path) != "sandbox/sys" {
				t.Errorf("%s imports %s; only sandbox/sys may", f.path, i)
			}
		}
	}
	require.True(t, seen, "sandbox/sys imports golang.org/x/sys/unix, so the test must have met it")
}

// The probe can be read beside the manual, without the rest of the project.
func TestProbeStandsAlone(t *testing.T) {
	for _, f := range sources(t) {
		for _, i := range f.imports {
			first, _, _ := strings.Cut(i, "/")
			if path.Dir(f.path) == "cmd/probe" && !f.test() && (strings.Contains(first, ".") || strings.HasPrefix(i, module)) {
				t.Errorf("%s imports %s; the probe uses the standard library only", f.path, i)
			}
		}
	}
}

// Init is started for every container, and pays for what is linked into it: not
// for a library that speaks netlink, and of the standard library not for what
// takes long to start.
func TestInitLinksOnlyWhatItNeeds(t *testing.T) {
	initBuild := build.Default
	initBuild.BuildTags = []string{"init"}
	imports := map[string][]string{} // of each package of ours
	for _, f := range sources(t) {
		pkg := path.Dir(f.path)
		built, err := initBuild.MatchFile(filepath.Join(root, pkg), path.Base(f.path))
		require.NoError(t, err)
		if built && !f.test() {
			imports[pkg] = append(imports[pkg], f.imports...)
		}
	}
	linked := []string{"cmd/cutaway-init"}
	for i := 0; i < len(linked); i++ {
		for _, pkg := range imports[linked[i]] {
			pkg = strings.TrimPrefix(pkg, module)
			if !slices.Contains(linked, pkg) {
				linked = append(linked, pkg)
			}
		}
	}
	for _, slow := range []string{"encoding/json", "net", "net/netip", "regexp", "context"} {
		require.NotContains(t, linked, slow)
	}
	linked = slices.DeleteFunc(linked, func(pkg string) bool { return isStandard(pkg) })
	require.ElementsMatch(t, []string{"cmd/cutaway-init", "sandbox/pid1", "sandbox/plan", "sandbox/op", "sandbox/features", "sandbox/sys",
		"golang.org/x/net/bpf", "golang.org/x/sys/unix"}, linked)
}

// isStandard tells the standard library's packages from ours and those of others.
func isStandard(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".") && first != "cmd" && first != "sandbox"
}
