package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Registry is an OCI registry on loopback that has the built-in image, so that
// a pull over HTTP needs no network. It speaks the distribution-spec; what it
// holds is in memory and gone with it.
//
// Interface: ServeBuiltIn starts it, Ref is what to pull, Tamper makes it lie,
// Close ends it.
type Registry struct {
	server *http.Server
	ref    string

	mu       sync.Mutex
	tampered map[string]bool // by digest
}

// ServeBuiltIn starts a registry on a free port of 127.0.0.1 and puts the
// built-in image there, behind a multi-architecture index. The caller closes it.
func ServeBuiltIn() (*Registry, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve image %s: %w", BuiltInRef, err)
	}
	silent := log.New(io.Discard, "", 0)
	r := &Registry{
		ref:      listener.Addr().String() + "/cutaway/built-in:latest",
		tampered: map[string]bool{},
	}
	r.server = &http.Server{
		Handler:           r.handler(registry.New(registry.Logger(silent))),
		ErrorLog:          silent,
		ReadHeaderTimeout: 10 * time.Second,
	}
	// Serve returns when the server is closed, and has nothing else to say.
	go r.server.Serve(listener)
	if err := r.push(); err != nil {
		return nil, errors.Join(fmt.Errorf("serve image %s at %s: %w", BuiltInRef, r.ref, err), r.Close())
	}
	return r, nil
}

// push uploads the image the way every client does.
func (r *Registry) push() error {
	img, err := BuiltIn()
	if err != nil {
		return err
	}
	index, err := indexOf(img)
	if err != nil {
		return err
	}
	ref, err := name.ParseReference(r.ref)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return remote.WriteIndex(ref, index, remote.WithContext(ctx))
}

// Ref is the reference to pull, such as 127.0.0.1:40321/cutaway/built-in:latest.
func (r *Registry) Ref() string { return r.ref }

// Close stops the registry and drops what it holds.
func (r *Registry) Close() error { return r.server.Close() }

// Tamper makes the registry serve the blob or manifest with this digest with
// one byte changed, under its old name: what a broken disk or a liar in between
// would do.
func (r *Registry) Tamper(digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tampered[digest] = true
}

func (r *Registry) isTampered(digest string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tampered[digest]
}

// handler puts the tampering in front of an honest registry. The last element
// of a blob's path, and of a manifest's when asked for by digest, is its digest.
func (r *Registry) handler(honest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet && r.isTampered(path.Base(req.URL.Path)) {
			w = &tamperer{ResponseWriter: w}
		}
		honest.ServeHTTP(w, req)
	})
}

// tamperedByte is the offset of the byte that changes. In a gzip header it says
// which operating system made the file (RFC 1952, 2.3.1) and nothing reads it:
// the layer still unpacks to the very same files. Only its digest can tell.
const tamperedByte = 9

// tamperer changes one byte of a response on its way out.
type tamperer struct {
	http.ResponseWriter
	offset int // of the next byte in the response
}

// Write passes b on; b is not the caller's to see changed, so a copy is.
func (t *tamperer) Write(b []byte) (int, error) {
	if i := tamperedByte - t.offset; i >= 0 && i < len(b) {
		b = append([]byte(nil), b...)
		b[i] ^= 0xff
	}
	t.offset += len(b)
	return t.ResponseWriter.Write(b)
}
