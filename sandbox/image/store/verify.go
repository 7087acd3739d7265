package store

import (
	"encoding/hex"
	"errors"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// MaxManifest and maxLayer are the most that an image may announce. Both are far
// above anything real; they keep a registry from filling memory or disk without
// end.
const (
	MaxManifest = 4 << 20  // bytes of an index, a manifest or a config
	maxLayer    = 32 << 30 // bytes of one layer as it travels
)

// verifier hands on what it reads and compares it with a descriptor: no byte
// more than announced, at the end not one fewer, and the right digest. Only
// its io.EOF means that the content is good.
type verifier struct {
	from        io.Reader
	want        v1.Descriptor
	what, where string // for errors
	sum         hash.Hash
	seen        int64
}

// Verify wraps from, which is to yield what want describes. where is the
// registry's host or the path of the file in the store.
func Verify(from io.Reader, want v1.Descriptor, what, where string) (io.Reader, error) {
	sum, err := v1.Hasher(want.Digest.Algorithm)
	if err != nil {
		return nil, &DigestError{What: what, Where: where, Want: want.Digest.String(), Got: "of an unknown kind"}
	}
	return &verifier{from: from, want: want, what: what, where: where, sum: sum}, nil
}

func (v *verifier) Read(b []byte) (int, error) {
	n, err := v.from.Read(b)
	v.seen += int64(n)
	if v.seen > v.want.Size {
		return 0, v.sizeError()
	}
	v.sum.Write(b[:n]) // a hash.Hash returns no error
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, v.sizeError()
	case err == io.EOF:
		return n, v.check()
	}
	return n, err
}

// check is io.EOF if everything read so far is what was announced.
func (v *verifier) check() error {
	if v.seen != v.want.Size {
		return v.sizeError()
	}
	if got := DigestOf(v.want.Digest.Algorithm, v.sum); got != v.want.Digest {
		return &DigestError{What: v.what, Where: v.where, Want: v.want.Digest.String(), Got: got.String()}
	}
	return io.EOF
}

func (v *verifier) sizeError() error {
	return &SizeError{What: v.what, Where: v.where, Digest: v.want.Digest.String(), Want: v.want.Size, Got: v.seen}
}

// DigestOf is the digest of what sum was told.
func DigestOf(algorithm string, sum hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: algorithm, Hex: hex.EncodeToString(sum.Sum(nil))}
}

// limitOf is the most bytes a blob of this role may have.
func limitOf(what string) int64 {
	if what == "layer" {
		return maxLayer
	}
	return MaxManifest
}

// CheckAnnounced refuses sizes no image has, before anything is fetched.
func CheckAnnounced(d v1.Descriptor, what, where string) error {
	if limit := limitOf(what); d.Size < 0 || d.Size > limit {
		return &LimitError{What: what + " " + d.Digest.String() + " from " + where, Limit: limit, Unit: "bytes"}
	}
	return nil
}
