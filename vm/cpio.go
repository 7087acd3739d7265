package vm

import (
	"fmt"
	"io"
	"io/fs"
	"syscall"
)

// file is one entry of an initramfs.
type file struct {
	name string      // without a leading slash; directories before what is in them
	mode fs.FileMode // type and permissions
	dev  [2]uint32   // major and minor number, of a device
	body []byte      // content, or the target of a symbolic link
}

// writeCPIO writes an archive as the kernel unpacks it: the "newc" format of
// Documentation/driver-api/early-userspace/buffer-format.rst. All belongs to
// root and has no time, so that the same files give the same archive.
func writeCPIO(w io.Writer, files []file) error {
	out := &padded{w: w}
	for i, f := range append(files, file{name: "TRAILER!!!"}) {
		// The inode number only tells hard links apart, of which there are none.
		out.printf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
			i+1, unixMode(f.mode), 0, 0, 1, 0, len(f.body), 0, 0, f.dev[0], f.dev[1], len(f.name)+1, 0, f.name)
		out.pad()
		out.write(f.body)
		out.pad()
	}
	return out.err
}

// unixMode is st_mode as inode(7) has it.
func unixMode(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	if m&fs.ModeSticky != 0 {
		mode |= syscall.S_ISVTX
	}
	switch m.Type() {
	case fs.ModeDir:
		mode |= syscall.S_IFDIR
	case fs.ModeSymlink:
		mode |= syscall.S_IFLNK
	case fs.ModeDevice | fs.ModeCharDevice:
		mode |= syscall.S_IFCHR
	default:
		mode |= syscall.S_IFREG
	}
	return mode
}

// padded counts what it writes, so as to fill up to multiples of four bytes,
// and keeps the first error.
type padded struct {
	w   io.Writer
	n   int
	err error
}

func (p *padded) write(b []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(b)
		p.n += len(b)
	}
}

func (p *padded) printf(format string, args ...any) { p.write(fmt.Appendf(nil, format, args...)) }

func (p *padded) pad() { p.write(make([]byte, (4-p.n%4)%4)) }
