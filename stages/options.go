package stages

import (
	"context"
	"fmt"
	"strings"

	"cutaway/sandbox/plan"
)

// lookOptions mounts overlays with options that a user namespace does not allow:
// overlayfs.rst, "Metadata only copy up" (since Linux 4.19) and "redirect_dir"
// (since 4.10). That takes a container with nothing between it and the machine's
// root but its namespaces.
func lookOptions(ctx context.Context, l *Look) {
	spec := l.Again()
	spec.Drop("user")
	spec.Linux.UIDMappings, spec.Linux.GIDMappings = nil, nil
	spec.Net = plan.Net{Mode: "none"}
	spec.Process.Restrict, spec.Process.Capabilities, spec.Linux.Seccomp = false, nil, nil
	l.Note("a copy for a mode, and EXDEV for a directory: both can be had cheaper, but not in a user namespace. Now a container without one, and in it an overlay with two options more")
	second, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	defer l.ended(second)
	const overlay = "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work,metacopy=on,redirect_dir=on overlay merged"
	second.Inside("mount -t tmpfs lab /mnt; cd /mnt; mkdir -p lower/dir upper work merged; head -c 1000000 /dev/zero > lower/big; "+overlay+" && ls merged",
		"a file of a million bytes, and a directory", says("big\ndir"))
	upper := fmt.Sprintf("/proc/%d/root/mnt/upper", second.Container.PID())
	stat := "; stat -c '%A %s bytes, %b blocks' upper/big"
	second.Inside("cd /mnt; chmod 600 merged/big"+stat, "in the upper layer, but without its data",
		says("-rw------- 1000000 bytes, 0 blocks"))
	l.Outside("getfattr -d -m metacopy "+upper+"/big", "the mark for that", overlayMark(upper+"/big", "metacopy"), is(`trusted.overlay.metacopy=""`))
	second.Inside("cd /mnt; echo >> merged/big"+stat, "the first write brings the data", func(o Out) bool {
		return strings.HasPrefix(o.Text, "-rw------- 1000001 bytes, ") && !o.Has(" 0 blocks")
	})
	second.Inside("cd /mnt; probe call rename merged/dir merged/moved; mv merged/dir merged/moved; ls -A upper/moved", "no EXDEV, and nothing was copied",
		func(o Out) bool { return o.Status == 0 && strings.HasSuffix(o.Text, "= 0") })
	l.Outside("getfattr -d -m redirect "+upper+"/moved", "it says where to look instead", overlayMark(upper+"/moved", "redirect"), is(`trusted.overlay.redirect="dir"`))
}
