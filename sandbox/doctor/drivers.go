package doctor

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
)

// driver is a part of the kernel that may be built in, loaded, or a file. Its
// symbol is listed where it is in the kernel now.
type driver struct {
	module, symbol string
	does           string
	level          Level
}

var drivers = []driver{
	{"overlay", "ovl_fill_super", "a root made of layers is mounted by it: 13-overlay and all after it, and cutaway run", Broken},
	{"veth", "veth_newlink", "it is the cable of 06-net; cutaway run works with --net none", Limited},
	{"bridge", "br_dev_newlink", "it is the switch of 06-net; cutaway run works with --net none", Limited},
	{"nf_tables", "nf_tables_newtable", "it translates the addresses of 06-net; cutaway run works with --net none", Limited},
}

// drivers looks for each driver in the kernel, then among the modules it could
// load.
func (m Machine) drivers(ctx context.Context) []Finding {
	here := m.symbols(drivers)
	release, _ := m.read("proc/sys/kernel/osrelease")
	var findings []Finding
	for _, d := range drivers {
		switch {
		case here[d.symbol]:
			findings = append(findings, fine(d.module, "in the kernel"))
		case m.loadable(release, d.module):
			findings = append(findings, fine(d.module, "a module, loaded when it is needed"))
		case here == nil:
			findings = append(findings, Finding{Check: d.module, Level: Limited, Found: "not known: /proc/kallsyms cannot be read", Cause: d.does,
				Fix: "sudo cutaway doctor"})
		default:
			findings = append(findings, Finding{Check: d.module, Level: d.level, Found: "neither in the kernel nor among its modules",
				Cause: d.does, Fix: m.haveModules(ctx, release)})
		}
	}
	return findings
}

// haveModules is how the running kernel, or the next one, comes to its modules.
func (m Machine) haveModules(ctx context.Context, release string) string {
	others, err := filepath.Glob(filepath.Join(m.Root, "lib/modules/*/modules.dep"))
	switch _, own := m.read("lib/modules/" + release + "/modules.dep"); {
	case err == nil && !own && len(others) > 0:
		return "sudo reboot: the modules here are of another kernel, installed since this one was booted"
	case m.wsl():
		return "wsl --update, on Windows, for a kernel that has its modules"
	}
	return m.install(ctx, "kernel") + " && sudo reboot"
}

// symbols looks up the drivers' symbols: proc_kallsyms(5). Addresses may be
// hidden from ordinary users, names are not. nil says that it cannot be read.
func (m Machine) symbols(wanted []driver) map[string]bool {
	f, err := os.Open(filepath.Join(m.Root, "proc/kallsyms"))
	if err != nil {
		return nil
	}
	defer f.Close()
	found := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			continue
		}
		// A compiler may have split it into parts: ovl_fill_super.cold.
		name, _, _ := strings.Cut(fields[2], ".")
		for _, d := range wanted {
			if d.symbol == name {
				found[name] = true
			}
		}
	}
	return found
}

// loadable reports whether the running kernel has a module file: modules.dep(5),
// or, in a microVM, which has no such list, the file itself.
func (m Machine) loadable(release, module string) bool {
	if _, err := os.Stat(filepath.Join(m.Root, "lib/modules", release, module+".ko")); err == nil {
		return true
	}
	for _, list := range []string{"modules.dep", "modules.builtin"} {
		text, ok := m.read("lib/modules/" + release + "/" + list)
		if ok && strings.Contains(text, "/"+module+".ko") {
			return true
		}
	}
	return false
}
