package inspect

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// devices adds the entries of p's /dev when it is its own: another directory
// than the reader's.
func (s *survey) devices(p place) {
	dir := p.proc + "/root/dev"
	theirs, err := os.Lstat(dir)
	if err != nil || !theirs.IsDir() {
		s.gap("read /dev", err)
		return
	}
	if ours, err := os.Stat("/dev"); err == nil && os.SameFile(ours, theirs) {
		return
	}
	s.deviceDir(p, dir, "/dev")
	s.deviceDir(p, dir+"/pts", "/dev/pts")
}

// deviceDir adds the device nodes and symbolic links of one directory.
func (s *survey) deviceDir(p place, dir, name string) {
	for _, entry := range s.children(dir) {
		if entry.Type()&(fs.ModeDevice|fs.ModeSymlink) == 0 {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // gone since the directory was read
		}
		s.add(Object{
			Kind:   Device,
			ID:     filepath.Join(name, entry.Name()) + "@" + p.ns[Mnt],
			Where:  filepath.Join(dir, entry.Name()),
			Detail: deviceDetail(filepath.Join(dir, entry.Name()), info),
		})
	}
}

// deviceDetail tells what a node is: the driver it leads to (type and number,
// mknod(2)) and who may use it.
func deviceDetail(path string, info fs.FileInfo) Detail {
	if info.Mode()&fs.ModeSymlink != 0 {
		return Detail{}.with("type", "symlink").with("target", link(path))
	}
	kind := "block"
	if info.Mode()&fs.ModeCharDevice != 0 {
		kind = "char"
	}
	d := Detail{}.with("type", kind)
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		d = d.with("number", DeviceNumber(uint64(st.Rdev))).
			with("mode", fmt.Sprintf("%04o", info.Mode().Perm())).
			with("uid", strconv.FormatUint(uint64(st.Uid), 10)).
			with("gid", strconv.FormatUint(uint64(st.Gid), 10))
	}
	return d
}
