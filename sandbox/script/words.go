package script

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"cutaway/sandbox/op"
)

// onHost is an operation as commands of the host's shell.
func onHost(o op.Op) string {
	switch o := o.(type) {
	case op.Dir:
		return fmt.Sprintf("mkdir -p -m %o %s && chown %d:%d %s", o.Mode, o.Path, o.UID, o.GID, o.Path)
	case op.File:
		return fmt.Sprintf("%s && chown %d:%d %s", o.Shell(), o.UID, o.GID, o.Path)
	case op.CgroupSet:
		if o.Optional {
			return "[ ! -e " + o.File + " ] || " + o.Shell()
		}
	case op.Bridge:
		return "if ! ip link show dev " + o.Link + " > /dev/null 2>&1; then\n\tbridge=made\n\t" + o.Shell() + "\nfi"
	case op.Sysctl:
		if o.Saved != "" {
			return settingVariable(o) + "=$(sysctl -n " + o.Key + ")\nsysctl -q -w " + o.Key + "=" + o.Value
		}
		return "sysctl -q -w " + o.Key + "=" + o.Value
	}
	return o.Shell()
}

// settingVariable names the shell variable that keeps a setting from before.
func settingVariable(o op.Sysctl) string { return "was_" + strings.ReplaceAll(o.Key, ".", "_") }

// undoing takes an operation of the host's back. It must cope with one that was
// never done.
func undoing(o op.Op) string {
	switch o := o.(type) {
	case op.Dir:
		return "rm -rf --one-file-system " + o.Path
	case op.Tree:
		return "rm -rf --one-file-system " + o.Path
	case op.File:
		return "rm -f " + o.Path
	case op.CgroupCreate:
		dirs := slices.Clone(o.Dirs)
		slices.Reverse(dirs)
		return "rmdir " + strings.Join(dirs, " ") + " 2> /dev/null || :"
	case op.CgroupEnable:
		if o.Unless != "" {
			return "[ -d " + o.Unless + " ] || echo '-" + strings.Join(o.Controllers, " -") + "' > " + path.Join(o.Dir, "cgroup.subtree_control")
		}
	case op.Sysctl:
		if o.Saved != "" {
			return "[ -z \"${bridge-}\" ] || sysctl -q -w " + o.Key + "=\"$" + settingVariable(o) + "\""
		}
	case op.Bridge:
		return "[ -z \"${bridge-}\" ] || ip link delete dev " + o.Link
	case op.Nft:
		return "nft delete table ip " + o.Table + " 2> /dev/null || :"
	}
	return ""
}

// inContainer is an operation of init's as commands of a shell in its place, ""
// if there are none. The old root goes to /.old: unlike init, a shell cannot
// hold on to files of the host without a path.
func inContainer(o op.Op) string {
	switch o := o.(type) {
	case op.Chroot:
		return "set -- chroot " + o.Path
	case op.PivotRoot:
		return "cd " + o.Path + "\nmkdir -p .old\npivot_root . .old\ncd /\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	case op.DetachOldRoot:
		return "umount -l /.old\nrmdir /.old"
	case op.Domainname:
		return "domainname " + o.Domainname
	case op.Mount:
		if o.Mkdir {
			return "mkdir -p " + o.Target + "\n" + o.Shell()
		}
	case op.MoveMount:
		var lines []string
		for _, m := range o.Moves {
			if m.File {
				lines = append(lines, "[ -e "+m.Target+" ] || : > "+m.Target, "mount --bind /.old"+m.Source+" "+m.Target)
			} else {
				lines = append(lines, "mkdir -p "+m.Target, "mount --rbind /.old"+m.Source+" "+m.Target)
			}
		}
		return strings.Join(lines, "\n")
	case op.Chdir:
		return "mkdir -p " + o.Path + "\n" + o.Shell()
	case op.Rlimit:
		if o.Type == "RLIMIT_NOFILE" {
			return fmt.Sprintf("ulimit -Sn %d\nulimit -Hn %d", o.Soft, o.Hard)
		}
		return ""
	case op.Exec:
		words := make([]string, 0, len(o.Env)+len(o.Args))
		for _, word := range append(slices.Clone(o.Env), o.Args...) {
			words = append(words, singleQuoted(word))
		}
		return "exec \"$@\" env -i " + strings.Join(words, " ")
	case op.DropBounding, op.Capset, op.NoNewPrivs, op.Keyring:
		return ""
	}
	return o.Shell()
}

// remark writes a reason as a comment.
func remark(b *strings.Builder, why string) {
	const width = 78
	line := "#"
	for _, word := range strings.Fields(why) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}

// singleQuoted is a word that the shell takes as it is.
func singleQuoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._=:,+-", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
