package run

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"cutaway/sandbox"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
	"cutaway/stages/buildup"
)

// network reads --net and -p.
func (f *Flags) network(w *buildup.Wish, l *sandbox.Lab) error {
	mode, id, _ := strings.Cut(f.net, ":")
	w.Net = f.net
	if mode == "container" {
		w.Net = mode
		record, err := l.Find(id)
		if err != nil {
			return err
		}
		w.NetPath = fmt.Sprintf("/proc/%d/ns/net", record.PID)
	}
	for _, p := range f.Ports {
		port, err := readPort(p)
		if err != nil {
			return err
		}
		w.Ports = append(w.Ports, port)
	}
	return nil
}

// readPort reads [IP:]HOST:CONTAINER[/udp].
func readPort(text string) (op.Port, error) {
	bad := flagValue("publish", text, "[IP:]HOST:CONTAINER[/udp], for example 8080:80")
	rest, protocol, given := strings.Cut(text, "/")
	if !given {
		protocol = "tcp"
	}
	i := strings.LastIndexByte(rest, ':')
	if i < 0 || protocol != "tcp" && protocol != "udp" {
		return op.Port{}, bad
	}
	p := op.Port{Protocol: protocol}
	host, inside := rest[:i], rest[i+1:]
	if j := strings.LastIndexByte(host, ':'); j >= 0 {
		address, err := netip.ParseAddr(host[:j])
		if err != nil || !address.Is4() {
			return op.Port{}, bad
		}
		p.HostIP, host = address.String(), host[j+1:]
		if address.IsUnspecified() {
			p.HostIP = ""
		}
	}
	for text, port := range map[string]*int{host: &p.HostPort, inside: &p.ContainerPort} {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return op.Port{}, bad
		}
		*port = int(n)
	}
	if host == inside { // then the map had room for one
		p.HostPort = p.ContainerPort
	}
	return p, nil
}

// limits reads what the control group is to enforce, and --ulimit.
func (f *Flags) limits(w *buildup.Wish) error {
	r := &w.Resources
	if f.memory != "" {
		size, err := plan.ParseSize(f.memory)
		if err != nil || size == 0 {
			return flagValue("memory", f.memory, "a number of bytes, with k, m or g if you like: 64m")
		}
		r.MemoryMax = size
	}
	if f.cpus != "" {
		n, err := strconv.ParseFloat(f.cpus, 64)
		if err != nil || !(n >= 0.01 && n <= 10000) { // NaN is in no range
			return flagValue("cpus", f.cpus, "a number of processors, such as 0.5")
		}
		const period = 100000 // microseconds
		r.CPUMax = fmt.Sprintf("%d %d", int64(n*period), period)
	}
	if f.cpuShares < 0 || f.pids < 0 {
		return flagValue("cpu-shares or --pids-limit", fmt.Sprint(min(f.cpuShares, f.pids)), "a positive number")
	}
	if f.cpuShares > 0 { // 1024 shares are weight 100
		r.CPUWeight = max(1, min(10000, f.cpuShares*100/1024))
	}
	r.PidsMax = f.pids
	if err := f.disks(r); err != nil {
		return err
	}
	for _, u := range f.ulimits {
		limit, err := readUlimit(u)
		if err != nil {
			return err
		}
		w.Rlimits = append(w.Rlimits, limit)
	}
	return nil
}

// disks reads the limits of traffic with disks.
func (f *Flags) disks(r *plan.Resources) error {
	for _, flag := range []struct {
		name, unit string
		values     []string
		limit      func(*plan.IOMax) *int64
	}{
		{"device-read-bps", "SIZE", f.readBPS, func(m *plan.IOMax) *int64 { return &m.ReadBPS }},
		{"device-write-bps", "SIZE", f.writeBPS, func(m *plan.IOMax) *int64 { return &m.WriteBPS }},
		{"device-read-iops", "N", f.readIOPS, func(m *plan.IOMax) *int64 { return &m.ReadIOPS }},
		{"device-write-iops", "N", f.writeIOPS, func(m *plan.IOMax) *int64 { return &m.WriteIOPS }},
	} {
		for _, text := range flag.values {
			disk, rate, _ := strings.Cut(text, ":")
			n, err := plan.ParseSize(rate)
			if flag.unit == "N" {
				n, err = strconv.ParseInt(rate, 10, 64)
			}
			if err != nil || n <= 0 || disk == "" {
				return flagValue(flag.name, text, "DISK:"+flag.unit+", for example /dev/sda:"+map[string]string{"SIZE": "1mb", "N": "100"}[flag.unit])
			}
			number, err := sandbox.DiskOf(disk)
			if err != nil {
				return err
			}
			*flag.limit(r.Disk(number)) = n
		}
	}
	return nil
}

// readUlimit reads NAME=SOFT[:HARD].
func readUlimit(text string) (plan.Rlimit, error) {
	bad := flagValue("ulimit", text, "NAME=SOFT[:HARD], -1 for no limit, for example nofile=1024:4096")
	name, values, _ := strings.Cut(text, "=")
	l := plan.Rlimit{Type: "RLIMIT_" + strings.ToUpper(name)}
	if _, known := sys.RlimitNumber(l.Type); !known {
		return l, bad
	}
	softText, hardText, both := strings.Cut(values, ":")
	if !both {
		hardText = softText
	}
	var softErr, hardErr error
	l.Soft, softErr = limitValue(softText)
	l.Hard, hardErr = limitValue(hardText)
	if softErr != nil || hardErr != nil || l.Hard < l.Soft {
		return l, bad
	}
	return l, nil
}

// limitValue reads one limit; -1 is none, RLIM_INFINITY of getrlimit(2).
func limitValue(text string) (uint64, error) {
	if text == "-1" || text == "unlimited" {
		return math.MaxUint64, nil
	}
	return strconv.ParseUint(text, 10, 64)
}
