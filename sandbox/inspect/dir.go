package inspect

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// stateDepth is how far below a state directory its entries are objects: far
// enough for what belongs to one container, not for what is in its root.
const stateDepth = 2

// stateDir adds a directory of the lab's, what is in it, and the image blobs
// of an image store below it.
func (s *survey) stateDir(dir string) {
	info, err := os.Lstat(dir)
	if err != nil {
		s.gap("read state directory", err)
		return
	}
	s.dirEntry(filepath.Clean(dir), info, stateDepth)
}

func (s *survey) dirEntry(path string, info fs.FileInfo, depth int) {
	if info.IsDir() && info.Name() == "blobs" {
		s.blobs(path)
	}
	s.add(Object{Kind: Dir, ID: path, Where: path, Detail: dirDetail(info)})
	if !info.IsDir() || depth == 0 {
		return
	}
	for _, entry := range s.children(path) {
		if info, err := entry.Info(); err == nil { // else gone since the directory was read
			s.dirEntry(filepath.Join(path, entry.Name()), info, depth-1)
		}
	}
}

func dirDetail(info fs.FileInfo) Detail {
	kind := "directory"
	if !info.IsDir() {
		kind = "file"
	}
	d := Detail{}.with("type", kind).with("mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		d = d.with("uid", strconv.FormatUint(uint64(st.Uid), 10))
	}
	if !info.IsDir() {
		d = d.withVolatile("size", strconv.FormatInt(info.Size(), 10))
	}
	return d
}
