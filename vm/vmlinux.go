package vm

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// bootable gives the file to boot a kernel from: the kernel as an ELF file,
// unpacked here once and kept, where it can be started as one, else the image as
// it is. Unpacking itself costs an emulated x86 machine up to a second.
func bootable(k *Kernel) (string, error) {
	if k.Arch != "amd64" {
		return k.Image, nil
	}
	st, err := os.Stat(k.Image)
	if err != nil {
		return "", err
	}
	dir, err := cacheDir("vmlinux")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, fmt.Sprintf("%s-%x-%x", k.Version, st.Size(), st.ModTime().Unix()))
	if used(file) {
		if st, err := os.Stat(file); err == nil && st.Size() == 0 {
			return k.Image, nil // tried before
		}
		return file, nil
	}
	image, err := os.ReadFile(k.Image)
	if err != nil {
		return "", err
	}
	kernel, err := unpackBZImage(image)
	if err != nil || !startsAsELF(kernel) {
		kernel = nil // its own loader knows better
	}
	err = writeWhole(file, func(w io.Writer) error {
		_, err := w.Write(kernel)
		return err
	})
	if err != nil || kernel == nil {
		return k.Image, err
	}
	return file, prune(dir)
}

// unpackBZImage takes the kernel out of an x86 boot image: payload_offset and
// payload_length of Documentation/arch/x86/boot.rst. The last four bytes of the
// payload are its unpacked size.
func unpackBZImage(image []byte) ([]byte, error) {
	if len(image) < 0x250 || string(image[0x202:0x206]) != "HdrS" {
		return nil, errors.New("not an x86 boot image")
	}
	begin := (uint64(image[0x1f1])+1)*512 + uint64(binary.LittleEndian.Uint32(image[0x248:]))
	end := begin + uint64(binary.LittleEndian.Uint32(image[0x24c:]))
	if end > uint64(len(image)) || end < begin+8 {
		return nil, errors.New("its payload lies outside of it")
	}
	payload := image[begin:end]
	size := binary.LittleEndian.Uint32(payload[len(payload)-4:])
	if size > 1<<28 {
		return nil, fmt.Errorf("a payload of %d bytes", size)
	}
	payload = payload[:len(payload)-4]
	switch {
	case bytes.HasPrefix(payload, []byte{0x02, 0x21, 0x4c, 0x18}):
		return unpackLZ4(payload[4:], int(size))
	case bytes.HasPrefix(payload, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		r, err := zstd.NewReader(bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return readExactly(r, int(size))
	case bytes.HasPrefix(payload, []byte{0x1f, 0x8b}):
		r, err := gzip.NewReader(bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		return readExactly(r, int(size))
	}
	return nil, errors.New("unknown compression")
}

func readExactly(r io.Reader, size int) ([]byte, error) {
	b := make([]byte, size)
	_, err := io.ReadFull(r, b)
	return b, err
}

// startsAsELF reports whether a hypervisor can start the kernel without its
// loader: it has the note XEN_ELFNOTE_PHYS32_ENTRY, which says where (the PVH
// boot ABI, CONFIG_PVH).
func startsAsELF(kernel []byte) bool {
	f, err := elf.NewFile(bytes.NewReader(kernel))
	if err != nil {
		return false
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		// A note is the length of its name and of its content, its type, the name
		// and the content, both filled up to four bytes: elf(5), Notes.
		want := append(binary.LittleEndian.AppendUint32(nil, 18), "Xen\x00"...)
		notes, err := io.ReadAll(p.Open())
		if err == nil && bytes.Contains(notes, want) {
			return true
		}
	}
	return false
}
