package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"syscall"

	"cutaway/sandbox/image/store"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// layerStream reads the tar archive inside a layer's blob. Inflating runs in a
// goroutine of its own, some chunks ahead; both digests are taken on the way:
// of the blob as it is read, of the archive as it is used.
type layerStream struct {
	layer  store.Layer
	path   string
	diffID v1.Hash
	sum    hash.Hash // of the archive
	chunks chan chunk
	free   chan []byte
	rest   []byte // of the current chunk
	buf    []byte
	err    error // what the stream ended with
	stop   context.CancelFunc
}

// chunk is a piece of the archive, or the error it ends with.
type chunk struct {
	data []byte
	err  error
}

// Two chunks wait while one is filled and one emptied.
const (
	chunkSize = 256 << 10 // bytes
	chunks    = 4
)

// openLayer opens the blob of l in the store.
func (s *Store) openLayer(ctx context.Context, l store.Layer) (*layerStream, error) {
	blob, err := v1.NewHash(l.Digest)
	if err != nil {
		return nil, fmt.Errorf("parse digest %q: %w", l.Digest, err)
	}
	diffID, err := v1.NewHash(l.DiffID)
	if err != nil {
		return nil, fmt.Errorf("parse diff ID %q: %w", l.DiffID, err)
	}
	sum, err := v1.Hasher(diffID.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("verify layer %s: %w", l.Digest, err)
	}
	from, err := s.OpenBlob(v1.Descriptor{Digest: blob, Size: l.Size}, "layer")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	r := &layerStream{
		layer: l, path: s.BlobPath(blob), diffID: diffID, sum: sum, stop: stop,
		chunks: make(chan chunk, chunks), free: make(chan []byte, chunks),
	}
	for range chunks {
		r.free <- make([]byte, chunkSize)
	}
	go r.inflate(ctx, from)
	return r, nil
}

// maxFile is the most that File reads of one file, in bytes.
const maxFile = 1 << 20

// File reads one small file from a layer's archive, as the blob in the store has
// it, whatever layers above make of it. It is fs.ErrNotExist if this layer does
// not have it. The layer is verified like one that is unpacked.
func (s *Store) File(ctx context.Context, l store.Layer, name string) ([]byte, error) {
	r, err := s.openLayer(ctx, l)
	if err != nil {
		return nil, err
	}
	content, err := lastOf(tar.NewReader(r), name)
	switch {
	case errors.Is(err, io.EOF):
		err = nil
	case errors.Is(err, tar.ErrHeader):
		err = &LayerError{Layer: l.Digest, Fact: "read archive: " + err.Error(), Err: err}
	}
	if err := r.finish(err); err != nil {
		return nil, err
	}
	if content == nil {
		return nil, fmt.Errorf("find %s in layer %s: %w", name, l.Digest, fs.ErrNotExist)
	}
	return content, nil
}

// lastOf reads an archive to its end, for the last of a name is the one that counts.
func lastOf(t *tar.Reader, name string) (content []byte, err error) {
	for {
		h, err := t.Next()
		if err != nil {
			return content, err
		}
		if h.Typeflag != tar.TypeReg || path.Clean(h.Name) != name {
			continue
		}
		if h.Size > maxFile {
			return nil, &store.LimitError{What: "file " + name, Limit: maxFile, Unit: "bytes"}
		}
		if content, err = io.ReadAll(t); err != nil {
			return nil, err
		}
	}
}

// inflate fills chunks until the archive ends, then reads the blob to its end,
// so that its digest decides what any error means: damaged bytes are called
// damaged, not "invalid gzip".
func (r *layerStream) inflate(ctx context.Context, blob io.ReadCloser) {
	defer blob.Close()
	defer close(r.chunks)
	err := r.fill(ctx, blob)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	} else if _, blobErr := io.Copy(io.Discard, blob); blobErr != nil {
		err = blobErr
	} else if err == nil {
		err = io.EOF
	}
	select {
	case r.chunks <- chunk{err: err}:
	case <-ctx.Done():
	}
}

// fill inflates blob into chunks. nil means that the archive has ended well.
func (r *layerStream) fill(ctx context.Context, blob io.Reader) error {
	archive, end, err := decompress(blob)
	if err != nil {
		return &LayerError{Layer: r.layer.Digest, Fact: "decompress: " + err.Error(), Err: err}
	}
	defer end()
	for {
		var buf []byte
		select {
		case buf = <-r.free:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		n, err := fill(archive, buf)
		select {
		case r.chunks <- chunk{data: buf[:n]}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &LayerError{Layer: r.layer.Digest, Fact: "decompress: " + err.Error(), Err: err}
		}
	}
}

// maxWindow is the most memory a zstd frame may ask for, in bytes: what the
// format asks decoders to support at least is 8 MiB, zstd --long=27 needs this.
const maxWindow = 128 << 20

// decompress tells how the layer is compressed by its first bytes, not by its
// media type: registries and builders mix those up, and the digest vouches for
// the bytes.
func decompress(blob io.Reader) (archive io.Reader, end func(), err error) {
	b := bufio.NewReaderSize(blob, 128<<10)
	magic, err := b.Peek(4)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}): // RFC 1952
		z, err := gzip.NewReader(b)
		return z, func() {}, err
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}), // RFC 8878: a frame,
		len(magic) == 4 && magic[0]&0xf0 == 0x50 && bytes.Equal(magic[1:], []byte{0x2a, 0x4d, 0x18}): // or a skippable one
		z, err := zstd.NewReader(b, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return b, func() {}, nil
}

// Read reads the archive.
func (r *layerStream) Read(b []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		if r.buf != nil {
			r.free <- r.buf[:chunkSize]
			r.buf = nil
		}
		c, ok := <-r.chunks
		switch {
		case !ok:
			r.err = context.Canceled
		case c.err != nil:
			r.err = c.err
		default:
			r.sum.Write(c.data) // a hash.Hash returns no error
			r.rest, r.buf = c.data, c.data
		}
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// finish reads what follows the last entry and compares the diff ID. parseErr
// is what reading the entries ended with: if the bytes are not those the image
// promises, that is the error to tell.
func (r *layerStream) finish(parseErr error) error {
	defer r.stop()
	if parseErr != nil && !suspicious(parseErr) {
		return parseErr
	}
	if _, err := io.CopyBuffer(io.Discard, &trailer{r, maxTrailer}, make([]byte, chunkSize)); err != nil {
		if parseErr != nil && !isVerdict(err) {
			return parseErr
		}
		return err
	}
	if got := store.DigestOf(r.diffID.Algorithm, r.sum); got != r.diffID {
		return &DigestError{What: "contents of layer", Where: r.path, Want: r.diffID.String(), Got: got.String()}
	}
	return parseErr
}

// suspicious reports whether err may come from damaged bytes, and not from the
// file system the layer is unpacked to.
func suspicious(err error) bool {
	var layer *LayerError
	var number syscall.Errno
	return errors.As(err, &layer) && !errors.As(err, &number) || isVerdict(err)
}

// isVerdict reports whether err says that bytes are not those announced.
func isVerdict(err error) bool {
	var digest *DigestError
	var size *store.SizeError
	return errors.As(err, &digest) || errors.As(err, &size)
}

// maxTrailer is how much may follow the last entry of an archive, in bytes. tar
// pads to a record, 10 KiB by default; some builders pad more.
const maxTrailer = 64 << 20

// trailer bounds what follows the archive's end.
type trailer struct {
	r    *layerStream
	left int64
}

func (t *trailer) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	if t.left -= int64(n); t.left < 0 {
		return 0, &store.LimitError{What: "padding of layer " + t.r.layer.Digest, Limit: maxTrailer, Unit: "bytes"}
	}
	return n, err
}
