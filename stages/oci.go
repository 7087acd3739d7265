package stages

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
)

// ociConfig writes a Spec as the config.json of an OCI bundle, for runc to make
// the same container: runtime-spec config.md and config-linux.md. root is a
// directory with the root filesystem in it; hosts and resolv.conf are bound from
// files, as the lab does.
//
// unified says that the machine has cgroup v2. Left out is what config.json has
// no words for, and the time namespace, which runc knows since 1.2 only.
func ociConfig(s plan.Spec, root, cgroup string, unified bool) specs.Spec {
	p := s.Process
	process := &specs.Process{
		Args: p.Args, Env: p.Env, Cwd: p.Cwd, NoNewPrivileges: p.NoNewPrivileges,
		User:         specs.User{UID: uint32(p.User.UID), GID: uint32(p.User.GID)},
		Capabilities: &specs.LinuxCapabilities{Bounding: p.Capabilities, Effective: p.Capabilities, Permitted: p.Capabilities},
	}
	for _, gid := range p.User.AdditionalGids {
		process.User.AdditionalGids = append(process.User.AdditionalGids, uint32(gid))
	}
	for _, r := range p.Rlimits {
		process.Rlimits = append(process.Rlimits, specs.POSIXRlimit{Type: r.Type, Soft: r.Soft, Hard: r.Hard})
	}
	return specs.Spec{
		Version: "1.0.2", Process: process, Hostname: s.Hostname,
		Root:   &specs.Root{Path: root, Readonly: s.Root.Readonly},
		Mounts: ociMounts(s, unified),
		Linux: &specs.Linux{
			UIDMappings: ociMappings(s.Linux.UIDMappings), GIDMappings: ociMappings(s.Linux.GIDMappings),
			Namespaces: ociNamespaces(s), CgroupsPath: cgroup, Resources: ociResources(s.Linux.Resources, unified),
			Seccomp: ociSeccomp(s.Linux.Seccomp), MaskedPaths: s.Linux.MaskedPaths, ReadonlyPaths: s.Linux.ReadonlyPaths,
		},
	}
}

func ociMappings(mappings []op.IDMapping) (out []specs.LinuxIDMapping) {
	for _, m := range mappings {
		out = append(out, specs.LinuxIDMapping{ContainerID: uint32(m.ContainerID), HostID: uint32(m.HostID), Size: uint32(m.Size)})
	}
	return out
}

func ociNamespaces(s plan.Spec) (out []specs.LinuxNamespace) {
	for _, ns := range s.Linux.Namespaces {
		if ns != "time" {
			out = append(out, specs.LinuxNamespace{Type: specs.LinuxNamespaceType(ns)})
		}
	}
	for ns, path := range s.Linux.Joined {
		out = append(out, specs.LinuxNamespace{Type: specs.LinuxNamespaceType(ns), Path: path})
	}
	return out
}

func ociMounts(s plan.Spec, unified bool) []specs.Mount {
	mounts := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "nodev", "noexec"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "nodev", "noexec", "ro"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "noexec", "mode=1777", "size=65536k"}},
	}
	if s.Linux.Mqueue {
		mounts = append(mounts, specs.Mount{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "nodev", "noexec"}})
	}
	if s.Has("cgroup") && unified {
		mounts = append(mounts, specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "nodev", "noexec", "ro"}})
	}
	for name, text := range map[string]string{"resolv.conf": s.Net.Resolv, "hosts": s.Net.Hosts} {
		if text != "" {
			mounts = append(mounts, specs.Mount{Destination: "/etc/" + name, Type: "bind", Source: filepath.Join(s.State, name), Options: []string{"rbind", "rprivate"}})
		}
	}
	return mounts
}

// ociResources writes the limits. On cgroup v2 the files that the old names
// speak of by detour are named directly: config-linux.md, "Unified".
func ociResources(r plan.Resources, unified bool) *specs.LinuxResources {
	out := &specs.LinuxResources{}
	if unified {
		out.Unified = map[string]string{}
		for _, f := range r.Files(features.Unified) {
			if f.File != "memory.swap.max" {
				out.Unified[f.File] = f.Value
			}
		}
		return out
	}
	if r.MemoryMax > 0 {
		out.Memory = &specs.LinuxMemory{Limit: &r.MemoryMax, Swap: &r.MemoryMax}
		if r.MemoryHigh > 0 {
			out.Memory.Reservation = &r.MemoryHigh
		}
	}
	if r.PidsMax > 0 {
		out.Pids = &specs.LinuxPids{Limit: &r.PidsMax}
	}
	cpu := &specs.LinuxCPU{}
	quota, period, _ := strings.Cut(r.CPUMax, " ")
	if n, err := strconv.ParseInt(quota, 10, 64); err == nil {
		cpu.Quota = &n
	}
	if n, err := strconv.ParseUint(period, 10, 64); err == nil {
		cpu.Period = &n
	}
	if r.CPUWeight > 0 {
		shares := uint64(r.CPUWeight * 1024 / 100)
		cpu.Shares = &shares
	}
	out.CPU = cpu
	out.BlockIO = ociBlockIO(r.IOMax)
	return out
}

// ociBlockIO writes the limits of disks for cgroup v1.
func ociBlockIO(disks []plan.IOMax) *specs.LinuxBlockIO {
	out := &specs.LinuxBlockIO{}
	for _, d := range disks {
		var device specs.LinuxThrottleDevice
		if _, err := fmt.Sscanf(d.Device, "%d:%d", &device.Major, &device.Minor); err != nil {
			continue // it comes from the kernel, in this form
		}
		for _, l := range []struct {
			rate int64
			list *[]specs.LinuxThrottleDevice
		}{
			{d.ReadBPS, &out.ThrottleReadBpsDevice}, {d.WriteBPS, &out.ThrottleWriteBpsDevice},
			{d.ReadIOPS, &out.ThrottleReadIOPSDevice}, {d.WriteIOPS, &out.ThrottleWriteIOPSDevice},
		} {
			if l.rate > 0 {
				device.Rate = uint64(l.rate)
				*l.list = append(*l.list, device)
			}
		}
	}
	return out
}

// ociArches names this architecture as libseccomp does.
var ociArches = map[string]specs.Arch{"amd64": specs.ArchX86_64, "arm64": specs.ArchAARCH64}

func ociSeccomp(p *op.SeccompProfile) *specs.LinuxSeccomp {
	if p == nil {
		return nil
	}
	out := &specs.LinuxSeccomp{DefaultAction: specs.LinuxSeccompAction(p.DefaultAction), DefaultErrnoRet: p.DefaultErrnoRet,
		Architectures: []specs.Arch{ociArches[runtime.GOARCH]}}
	for _, r := range p.Syscalls {
		rule := specs.LinuxSyscall{Names: r.Names, Action: specs.LinuxSeccompAction(r.Action), ErrnoRet: r.ErrnoRet}
		for _, a := range r.Args {
			rule.Args = append(rule.Args, specs.LinuxSeccompArg{Index: a.Index, Value: a.Value, ValueTwo: a.ValueTwo, Op: specs.LinuxSeccompOperator(a.Op)})
		}
		out.Syscalls = append(out.Syscalls, rule)
	}
	return out
}
