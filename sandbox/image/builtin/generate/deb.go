package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// programLimit bounds what is read of one program, in bytes.
const programLimit = 64 << 20

// programInDeb reads one file out of a Debian package: deb(5), an ar archive
// whose member data.tar.* holds the files. Distributions with a merged /usr
// ship the same program below usr/.
func programInDeb(deb, name string) ([]byte, error) {
	f, err := os.Open(deb)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, member, err := dataOf(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path.Base(deb), err)
	}
	files, err := decompress(data, member)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", member, path.Base(deb), err)
	}
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil, fmt.Errorf("read %s: no program %s in it", path.Base(deb), name)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", member, path.Base(deb), err)
		}
		in := path.Clean(h.Name)
		if h.Typeflag != tar.TypeReg || in != name && in != "usr/"+name {
			continue
		}
		if h.Size > programLimit {
			return nil, fmt.Errorf("read %s: %s has %d bytes: more than a busybox", path.Base(deb), in, h.Size)
		}
		return io.ReadAll(r)
	}
}

// dataOf finds the member data.tar.* of an ar archive: ar(5), a line of magic,
// then for each member 60 bytes of text and its content, padded to an even
// length.
func dataOf(r io.Reader) (data io.Reader, name string, err error) {
	magic := make([]byte, 8)
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != "!<arch>\n" {
		return nil, "", errors.New("not an ar archive")
	}
	header := make([]byte, 60)
	for {
		if _, err := io.ReadFull(r, header); err != nil {
			return nil, "", errors.New("no data.tar in it")
		}
		name := strings.TrimRight(string(header[:16]), " /")
		size, err := strconv.ParseInt(strings.TrimSpace(string(header[48:58])), 10, 64)
		if err != nil || size < 0 || !bytes.Equal(header[58:], []byte("`\n")) {
			return nil, "", fmt.Errorf("bad header of member %q", name)
		}
		if strings.HasPrefix(name, "data.tar") {
			return io.LimitReader(r, size), name, nil
		}
		if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil {
			return nil, "", err
		}
	}
}

// decompress opens a member by the end of its name.
func decompress(r io.Reader, member string) (io.Reader, error) {
	switch path.Ext(member) {
	case ".tar":
		return r, nil
	case ".gz":
		return gzip.NewReader(r)
	case ".xz":
		return xz.NewReader(r)
	case ".zst":
		return zstd.NewReader(r)
	}
	return nil, errors.New("unknown compression")
}
