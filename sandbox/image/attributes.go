package image

import (
	"archive/tar"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"syscall"
	"time"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// maxID is the highest user or group ID: 2^32-1 means "no change" to chown(2).
const maxID = math.MaxUint32 - 1

// attributes are what a file has besides a name and content, as they are to be
// on disk.
type attributes struct {
	uid, gid     int
	mode         uint32 // permission, set-ID and sticky bits, without the type
	atime, mtime time.Time
	xattrs       map[string][]byte
}

// paxXattr is the prefix of extended attributes in PAX records.
const paxXattr = "SCHILY.xattr."

// attributesOf reads the attributes of an archive's entry.
func attributesOf(h *tar.Header, o Owner) (attributes, error) {
	a := attributes{
		uid: h.Uid + o.UIDBase, gid: h.Gid + o.GIDBase, mode: uint32(h.Mode) & 0o7777,
		atime: h.AccessTime, mtime: h.ModTime,
	}
	if h.Uid < 0 || h.Gid < 0 || a.uid > maxID || a.gid > maxID {
		return a, fmt.Errorf("owner %d:%d: %w", h.Uid, h.Gid, errBadID)
	}
	if a.atime.IsZero() {
		a.atime = a.mtime
	}
	for key, value := range h.PAXRecords {
		name, ok := strings.CutPrefix(key, paxXattr)
		if !ok {
			continue
		}
		if a.xattrs == nil {
			a.xattrs = map[string][]byte{}
		}
		a.xattrs[name] = []byte(value)
	}
	return a, nil
}

var errBadID = errors.New("no such ID exists, or the ID mapping leads beyond the last")

// impliedBy are the attributes of a directory that an archive needs but does
// not have: those mkdir(1) gives, and the time of what needed it.
func impliedBy(h *tar.Header, o Owner) attributes {
	return attributes{uid: o.UIDBase, gid: o.GIDBase, mode: 0o755, atime: h.ModTime, mtime: h.ModTime}
}

// attributesAt reads the attributes of a file in a layer unpacked before: on
// disk they are mapped already.
func attributesAt(file string, info fs.FileInfo) (attributes, error) {
	st := info.Sys().(*syscall.Stat_t)
	xattrs, err := sys.Xattrs(file)
	if err != nil {
		return attributes{}, fmt.Errorf("read extended attributes of %s: %w", file, err)
	}
	for _, key := range store.OpaqueXattrs {
		delete(xattrs, key)
	}
	return attributes{
		uid: int(st.Uid), gid: int(st.Gid), mode: st.Mode & 0o7777,
		atime: time.Unix(st.Atim.Unix()), mtime: info.ModTime(), xattrs: xattrs,
	}, nil
}

// setter puts attributes on files, and remembers which it could not put.
type setter struct {
	owner   Owner
	skipped map[string]int // reason: how many
}

// open sets everything on an open file. The order matters: chown(2) clears
// set-user-ID bits and capabilities, writing changes the times.
func (s *setter) open(fd sys.FD, a attributes) error {
	if !s.owner.Squash {
		if err := fd.Chown(a.uid, a.gid); err != nil {
			return fmt.Errorf("chown: %w", err)
		}
	}
	if err := fd.Chmod(a.mode); err != nil {
		return fmt.Errorf("chmod: %w", err)
	}
	if err := s.xattrs(a.xattrs, fd.SetXattr); err != nil {
		return err
	}
	if err := fd.SetTimes(a.atime, a.mtime); err != nil {
		return fmt.Errorf("utimensat: %w", err)
	}
	return nil
}

// named sets everything on a file that is not to be opened, a fifo or a
// symbolic link; links have no mode.
func (s *setter) named(dir sys.FD, name string, link bool, a attributes) error {
	if !s.owner.Squash {
		if err := dir.ChownName(name, a.uid, a.gid); err != nil {
			return fmt.Errorf("chown: %w", err)
		}
	}
	if !link {
		if err := dir.ChmodName(name, a.mode); err != nil {
			return fmt.Errorf("chmod: %w", err)
		}
	}
	set := func(key string, value []byte) error { return dir.SetXattrName(name, key, value) }
	if err := s.xattrs(a.xattrs, set); err != nil {
		return err
	}
	if err := dir.SetTimesName(name, a.atime, a.mtime); err != nil {
		return fmt.Errorf("utimensat: %w", err)
	}
	return nil
}

// xattrs sets extended attributes. What the file system or the lack of
// privilege refuses is left out and counted; a full disk is an error.
func (s *setter) xattrs(xattrs map[string][]byte, set func(string, []byte) error) error {
	for key, value := range xattrs {
		switch {
		case strings.HasPrefix(key, "trusted.overlay.") || strings.HasPrefix(key, "user.overlay."):
			s.skip(key + " is overlayfs's own: an image must not steer it")
			continue
		case strings.HasPrefix(key, "system.posix_acl_") && s.owner.UIDBase+s.owner.GIDBase != 0:
			s.skip(key + " names users by IDs that are mapped")
			continue
		case key == "security.capability":
			value = capability(value, s.owner)
		}
		err := set(key, value)
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return fmt.Errorf("set extended attribute %s: %w", key, err)
		}
		if err != nil {
			s.skip(key + ": " + errno(err))
		}
	}
	return nil
}

func (s *setter) skip(reason string) {
	if s.skipped == nil {
		s.skipped = map[string]int{}
	}
	s.skipped[reason]++
}

// capability converts file capabilities for a container whose root is not the
// host's: revision 2 counts in the initial user namespace only, revision 3 in
// the one whose root is the ID at its end (capabilities(7), since Linux 4.14).
func capability(value []byte, o Owner) []byte {
	const revision, revision2, revision3, size2 = 0xff000000, 0x02000000, 0x03000000, 20
	if o.UIDBase == 0 || o.Squash || len(value) != size2 {
		return value
	}
	magic := binary.LittleEndian.Uint32(value)
	if magic&revision != revision2 {
		return value
	}
	v3 := binary.LittleEndian.AppendUint32(append([]byte(nil), value...), uint32(o.UIDBase))
	binary.LittleEndian.PutUint32(v3, magic&^revision|revision3)
	return v3
}
