package vm

import (
	"fmt"
	"strings"
)

// required are the modules without which a machine is no use: the way out of
// it, and what containers are made of.
var required = []string{
	"virtio_mmio", "virtio_console",
	"overlay", "veth", "bridge", "nf_tables", "nft_chain_nat", "nft_nat", "nft_masq", "nft_ct",
}

// optional are modules that not every kernel has, under these names or at all.
var optional = []string{
	"nft_fib", "nft_fib_inet", "nft_fib_ipv4", "nft_fib_ipv6", "nft_counter", "nft_limit", "nft_log",
	"nft_reject", "nft_reject_inet", "nft_redir", "nft_compat", "nf_log_syslog",
	"nf_conntrack", "nf_conntrack_netlink", "br_netfilter", "dummy", "tun",
	"crc32c_generic", "crc32c_intel", "xxhash_generic",
}

// module is one to be put into an initramfs.
type module struct {
	name  string
	image []byte
}

// resolve gives the modules that are needed for those wanted, each after what
// it depends on. Those built into the kernel are left out.
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
	for _, before := range info.pre {
		if r.tree.has(moduleName(before)) {
			if err := r.add(before); err != nil {
				return err
			}
		}
	}
	for _, before := range info.depends {
		if err := r.add(before); err != nil {
			return err
		}
	}
	r.order = append(r.order, module{name, image})
	return nil
}
