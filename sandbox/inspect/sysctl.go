package inspect

import (
	"path/filepath"
	"strings"
)

// sysctlFiles are the kernel parameters the lab may change, below /proc/sys.
// All of them belong to a network namespace, so each has its own values.
var sysctlFiles = []string{
	"net/ipv4/ip_forward",
	"net/ipv4/ip_unprivileged_port_start",
	"net/ipv4/ping_group_range",
	"net/ipv4/conf/all/route_localnet",
	"net/ipv6/conf/all/forwarding",
	"net/bridge/bridge-nf-call-iptables",
}

// sysctls adds the parameters of the calling thread's network namespace, which
// is p's: /proc/sys/net shows that of whoever opens it (proc_sys_net(5)).
func (s *survey) sysctls(p place) {
	files := append([]string{}, sysctlFiles...)
	own, err := filepath.Glob("/proc/sys/net/ipv4/conf/cutaway*/route_localnet")
	s.gap("list the lab's links below /proc/sys", err)
	for _, path := range own {
		files = append(files, strings.TrimPrefix(path, "/proc/sys/"))
	}
	ns := p.ns[Net]
	for _, file := range files {
		value, err := readText("/proc/sys/" + file)
		if err != nil {
			s.gap("read sysctl", err)
			continue
		}
		s.add(Object{
			Kind:   Sysctl,
			ID:     strings.ReplaceAll(file, "/", ".") + "@" + ns,
			Where:  "/proc/sys/" + file + " in " + s.nets[ns],
			Detail: Detail{}.with("value", oneLine(value)),
		})
	}
}
