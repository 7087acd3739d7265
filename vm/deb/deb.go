// Package deb fetches Debian packages without root and reads the files in them.
//
// Its one invariant: the machine is left as it is. Package lists, archives and
// sources of its own live in the directory its caller names; apt checks what it
// fetches against the signed lists. Read deb.go for the format, apt.go for
// where packages come from.
package deb

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

// Files shows visit each entry of the package at file: deb(5), an ar archive
// whose member data.tar.* holds the files. Names have no leading "./". visit
// may return io.EOF to see no more.
func Files(file string, visit func(h *tar.Header, content io.Reader) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	data, member, err := dataOf(bufio.NewReader(f))
	if err != nil {
		return fmt.Errorf("read %s: %w", path.Base(file), err)
	}
	files, err := Decompress(data, member)
	if err != nil {
		return fmt.Errorf("read %s of %s: %w", member, path.Base(file), err)
	}
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s of %s: %w", member, path.Base(file), err)
		}
		h.Name = path.Clean(h.Name)
		if err := visit(h, r); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read %s of %s: %w", h.Name, path.Base(file), err)
		}
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

// Decompress opens what r holds by the end of its file name: .gz, .xz, .zst, or
// .tar and .ko, which are not compressed.
func Decompress(r io.Reader, name string) (io.Reader, error) {
	switch path.Ext(name) {
	case ".tar", ".ko":
		return r, nil
	case ".gz":
		return gzip.NewReader(r)
	case ".xz":
		return xz.NewReader(bufio.NewReader(r)) // it reads byte by byte
	case ".zst":
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	}
	return nil, errors.New("unknown compression")
}
