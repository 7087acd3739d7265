package vm

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"cutaway/vm/deb"
)

// modinfo is what a kernel module says of itself: modinfo(8).
type modinfo struct {
	depends []string // must be loaded before
	pre     []string // soft dependencies to load before, if there are such: modprobe.d(5), softdep
	aliases []string // what the kernel asks for when it means this module
}

// readModinfo reads the section .modinfo of a module: strings key=value, each
// with a zero byte at its end.
func readModinfo(module []byte) (modinfo, error) {
	f, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return modinfo{}, err
	}
	section := f.Section(".modinfo")
	if section == nil {
		return modinfo{}, fmt.Errorf("no section .modinfo")
	}
	data, err := section.Data()
	if err != nil {
		return modinfo{}, err
	}
	return parseModinfo(data), nil
}

func parseModinfo(data []byte) modinfo {
	var info modinfo
	for _, pair := range strings.Split(string(data), "\x00") {
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "depends":
			info.depends = append(info.depends, strings.FieldsFunc(value, func(r rune) bool { return r == ',' })...)
		case "alias":
			info.aliases = append(info.aliases, value)
		case "softdep":
			before := false
			for _, word := range strings.Fields(value) {
				switch word {
				case "pre:", "post:":
					before = word == "pre:"
				default:
					if before {
						info.pre = append(info.pre, word)
					}
				}
			}
		}
	}
	return info
}

// moduleTree is a kernel's directory of modules, /lib/modules/VERSION.
type moduleTree struct {
	dir     string
	files   map[string]string // path of each module below dir, by its name
	builtin map[string]bool   // those linked into the kernel, by name
}

// moduleName is how the kernel writes a module's name, whatever its file is
// called: nf-tables.ko.xz is nf_tables.
func moduleName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// readModuleTree lists the modules below dir.
func readModuleTree(dir string) (*moduleTree, error) {
	t := &moduleTree{dir: dir, files: map[string]string{}, builtin: map[string]bool{}}
	list, err := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Fields(string(list)) {
		t.builtin[moduleName(line)] = true
	}
	return t, filepath.WalkDir(filepath.Join(dir, "kernel"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(d.Name(), ".ko") {
			t.files[moduleName(path)] = path
		}
		return err
	})
}

// read gives a module's bytes, uncompressed.
func (t *moduleTree) read(name string) ([]byte, error) {
	f, err := os.Open(t.files[name])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := deb.Decompress(f, f.Name())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return b, nil
}
