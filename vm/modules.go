package vm

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// eager are the modules without which there is no way out of a machine. The
// guest loads them first; the others are loaded when the kernel asks for them.
var eager = []string{"virtio_mmio", "virtio_console"}

// required are those that containers are made of.
var required = []string{"overlay", "veth", "bridge", "nf_tables", "nft_chain_nat", "nft_nat", "nft_masq", "nft_ct"}

// optional are modules that not every kernel has, under these names or at all.
var optional = []string{
	"nft_fib", "nft_fib_inet", "nft_fib_ipv4", "nft_fib_ipv6", "nft_counter", "nft_limit", "nft_log",
	"nft_reject", "nft_reject_ipv4", "nft_reject_ipv6", "nft_reject_inet", "nft_redir", "nft_compat", "nf_log_syslog",
	"nf_conntrack_netlink", "br_netfilter", "dummy", "macvlan", "ipvlan", "tun", "brd", "virtio_net", "virtio_blk",
	"crc32c_generic", "crc32c_intel", "xxhash_generic",
}

// module is one to be put into an initramfs.
type module struct {
	name    string
	image   []byte
	needs   []string // names of those to load before, in this order
	aliases []string
}

// resolve gives the modules of names and all that they depend on, each after
// what it depends on. Those built into the kernel are left out, and so are those
// of optional that do not exist.
func (t *moduleTree) resolve(required, optional []string) ([]module, error) {
	r := &resolver{tree: t, begun: map[string]bool{}}
	if missing := t.lacking(required); len(missing) > 0 {
		return nil, fmt.Errorf("find modules in %s: none called %s", t.dir, strings.Join(missing, ", "))
	}
	for _, name := range append(append([]string{}, required...), optional...) {
		if t.has(name) {
			if err := r.add(name); err != nil {
				return nil, err
			}
		}
	}
	return r.order, nil
}

// lacking gives those of names that the kernel has in no form.
func (t *moduleTree) lacking(names []string) []string {
	var missing []string
	for _, name := range names {
		if !t.has(name) {
			missing = append(missing, name)
		}
	}
	return missing
}

func (t *moduleTree) has(name string) bool { return t.builtin[name] || t.files[name] != "" }

// resolver walks dependencies depth first.
type resolver struct {
	tree  *moduleTree
	begun map[string]bool
	order []module
}

// add appends a module after what it depends on. A soft dependency that does
// not exist is left out: the module works without.
func (r *resolver) add(name string) error {
	name = moduleName(name)
	if r.begun[name] || r.tree.builtin[name] {
		return nil
	}
	r.begun[name] = true
	if r.tree.files[name] == "" {
		return fmt.Errorf("find module %s in %s: none", name, r.tree.dir)
	}
	image, err := r.tree.read(name)
	if err != nil {
		return err
	}
	info, err := readModinfo(image)
	if err != nil {
		return fmt.Errorf("read %s: %w", r.tree.files[name], err)
	}
	needs := info.depends
	for _, soft := range info.pre {
		if r.tree.has(moduleName(soft)) {
			needs = append(needs, soft)
		}
	}
	m := module{name: name, image: image, aliases: info.aliases}
	for _, before := range needs {
		if err := r.add(before); err != nil {
			return err
		}
		if before = moduleName(before); !r.tree.builtin[before] {
			m.needs = append(m.needs, before)
		}
	}
	r.order = append(r.order, m)
	return nil
}

// moduleFiles lays out modules as modprobe(8) wants them, below the directory
// that the kernel's version names: the modules, modules.dep with all that each
// needs, the nearest first, and modules.alias.
func moduleFiles(version string, modules []module) []file {
	dir := "lib/modules/" + version
	files := []file{{name: "lib", mode: fs.ModeDir | 0o755}, {name: "lib/modules", mode: fs.ModeDir | 0o755}, {name: dir, mode: fs.ModeDir | 0o755}}
	byName := map[string]module{}
	var dep, alias strings.Builder
	for _, m := range modules {
		byName[m.name] = m
		files = append(files, file{name: dir + "/" + m.name + ".ko", mode: 0o644, body: m.image})
		dep.WriteString(m.name + ".ko:")
		for _, before := range closure(byName, m) {
			dep.WriteString(" " + before + ".ko")
		}
		dep.WriteString("\n")
		for _, a := range m.aliases {
			fmt.Fprintf(&alias, "alias %s %s\n", a, m.name)
		}
	}
	return append(files,
		file{name: dir + "/modules.dep", mode: 0o644, body: []byte(dep.String())},
		file{name: dir + "/modules.alias", mode: 0o644, body: []byte(alias.String())})
}

// closure names all modules that m needs; each is followed by what it needs
// itself.
func closure(byName map[string]module, m module) []string {
	var names []string
	for _, before := range m.needs {
		for _, name := range append([]string{before}, closure(byName, byName[before])...) {
			// The last place is the one that counts: needed by most.
			names = append(slices.DeleteFunc(names, func(n string) bool { return n == name }), name)
		}
	}
	return names
}
