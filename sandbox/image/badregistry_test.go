package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// badly is a registry with an honest image app:1 in it, and a handler in front
// that may answer in its stead.
type badly struct {
	host  string
	image v1.Image
	layer v1.Descriptor // the largest, some 100 kB
}

// misbehave starts one. wrong reports whether it has answered.
func misbehave(t *testing.T, wrong func(b *badly, w http.ResponseWriter, r *http.Request) bool) *badly {
	t.Helper()
	b := &badly{}
	honest := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	done := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || b.image == nil || !wrong(b, w, r) {
			honest.ServeHTTP(w, r)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.BaseContext = func(net.Listener) context.Context { return context.WithValue(context.Background(), hangUp{}, done) }
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(done) })
	b.host = strings.TrimPrefix(server.URL, "http://")

	noise := make([]byte, 100_000) // does not compress, and is always the same
	rand.NewChaCha8([32]byte{}).Read(noise)
	parts := someParts()
	parts.Probe = noise
	image := build(t, parts)
	b.push(t, "1", image)
	m, err := image.Manifest()
	require.NoError(t, err)
	for _, l := range m.Layers {
		if l.Size > b.layer.Size {
			b.layer = l
		}
	}
	require.Greater(t, b.layer.Size, int64(50_000))
	b.image = image
	return b
}

// hangUp is the key of a channel closed when the test is over: the server waits
// for its handlers.
type hangUp struct{}

// hang answers nothing more until the client or the test ends.
func hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-r.Context().Value(hangUp{}).(chan struct{}):
	}
}

func (b *badly) ref(tag string) string { return b.host + "/app:" + tag }

func (b *badly) push(t *testing.T, tag string, what remote.Taggable) {
	t.Helper()
	ref, err := name.ParseReference(b.ref(tag))
	require.NoError(t, err)
	switch what := what.(type) {
	case v1.ImageIndex:
		require.NoError(t, remote.WriteIndex(ref, what))
	case v1.Image:
		require.NoError(t, remote.Write(ref, what))
	}
}

// isBlob and isTag recognise requests.
func isBlob(r *http.Request, d v1.Descriptor) bool {
	return strings.HasSuffix(r.URL.Path, "/blobs/"+d.Digest.String())
}

func isTag(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/manifests/1") }

// raw answers with headers and a body of our own, then breaks the connection.
func raw(w http.ResponseWriter, length int64, body []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(length))
	w.WriteHeader(http.StatusOK)
	w.Write(body)
	w.(http.Flusher).Flush()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

func TestBadRegistries(t *testing.T) {
	none := fmt.Sprintf("sha256:%064d", 0)
	cases := []struct {
		name  string
		wrong func(b *badly, w http.ResponseWriter, r *http.Request) bool
		want  string // HOST, LAYER and NONE stand for the obvious
		hint  string // part of it
	}{
		{"has no such image", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isTag(r) {
				http.Error(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`, http.StatusNotFound)
			}
			return isTag(r)
		}, "GET http://HOST/v2/app/manifests/1: 404 Not Found: MANIFEST_UNKNOWN: manifest unknown", "check the name"},
		{"wants a login", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return true
		}, "GET http://HOST/v2/app/manifests/1: 401 Unauthorized: UNAUTHORIZED: authentication required", "config.json"},
		{"refuses the token", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/token" {
				http.Error(w, `{"errors":[{"code":"DENIED","message":"no"}]}`, http.StatusForbidden)
				return true
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+b.host+`/token",service="here"`)
			http.Error(w, "", http.StatusUnauthorized)
			return true
		}, "GET http://HOST/token?scope=repository%3Aapp%3Apull&service=here: 403 Forbidden: DENIED: no", "config.json"},
		{"has had enough", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isTag(r) {
				http.Error(w, `{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit"}]}`, http.StatusTooManyRequests)
			}
			return isTag(r)
		}, "GET http://HOST/v2/app/manifests/1: 429 Too Many Requests: TOOMANYREQUESTS: pull rate limit", "limits"},
		{"is broken", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			http.Error(w, "<html>oops</html>", http.StatusInternalServerError)
			return true
		}, "GET http://HOST/v2/: 500 Internal Server Error", "later"},
		{"loses a layer", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r, b.layer) {
				http.NotFound(w, r)
			}
			return isBlob(r, b.layer)
		}, "GET http://HOST/v2/app/blobs/LAYER: 404 Not Found", "check the name"},
		{"hangs from the start", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			hang(r)
			return true
		}, "GET http://HOST/v2/: ETIMEDOUT: no answer for 200ms", "firewall"},
		{"hangs in a layer", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r, b.layer) {
				w.Header().Set("Content-Length", fmt.Sprint(b.layer.Size))
				w.Write(make([]byte, 1000))
				w.(http.Flusher).Flush()
				hang(r)
			}
			return isBlob(r, b.layer)
		}, "GET http://HOST/v2/app/blobs/LAYER: ETIMEDOUT: no answer for 200ms", "firewall"},
		{"truncates a layer", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r, b.layer) {
				raw(w, b.layer.Size, make([]byte, 1000))
			}
			return isBlob(r, b.layer)
		}, "verify layer LAYER from HOST: SIZE bytes were announced: it ends after 1000 bytes", "cut off"},
		{"truncates the manifest", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isTag(r) {
				raw(w, 900, make([]byte, 10))
			}
			return isTag(r)
		}, "verify manifest 1 from HOST: 900 bytes were announced: it ends after 10 bytes", "cut off"},
		{"sends a shorter layer", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r, b.layer) {
				w.Write(make([]byte, 10))
			}
			return isBlob(r, b.layer)
		}, "verify layer LAYER from HOST: SIZE bytes were announced: it ends after 10 bytes", "cut off"},
		{"sends a longer layer, in chunks", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r, b.layer) {
				w.(http.Flusher).Flush()
				w.Write(make([]byte, b.layer.Size+1))
			}
			return isBlob(r, b.layer)
		}, "verify layer LAYER from HOST: SIZE bytes were announced: it is longer", "wrong about"},
		{"changes a layer", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r, b.layer) {
				w.Write(make([]byte, b.layer.Size))
			}
			return isBlob(r, b.layer)
		}, "verify layer LAYER from HOST: its digest is ZEROS", "changed the bytes"},
		{"sends a page for a manifest", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isTag(r) {
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, "<html>please sign in to the hotel's network</html>")
			}
			return isTag(r)
		}, "parse manifest: invalid character '<' looking for beginning of value", ""},
		{"sends a manifest that is an index too", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isTag(r) {
				m, _ := b.image.RawManifest()
				w.Write([]byte(strings.Replace(string(m), "{", `{"manifests":[],`, 1)))
			}
			return isTag(r)
		}, "parse manifest: it lists manifests as well: ambiguous document refused", ""},
		{"sends a manifest of the first kind", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isTag(r) {
				w.Header().Set("Content-Type", string(types.DockerManifestSchema1Signed))
				io.WriteString(w, `{"schemaVersion":1,"fsLayers":[]}`)
			}
			return isTag(r)
		}, "its media type is application/vnd.docker.distribution.manifest.v1+prettyjws: not an image this program knows", ""},
		{"redirects to another host in plain HTTP", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r, b.layer) {
				http.Redirect(w, r, "http://192.0.2.1/blob?X-Amz-Signature=secret", http.StatusTemporaryRedirect)
			}
			return isBlob(r, b.layer)
		}, "GET http://192.0.2.1/blob?X-Amz-Signature=REDACTED: refused: plain HTTP goes no further than loopback", "--insecure"},
		{"redirects for ever", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r, b.layer) {
				http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
			}
			return isBlob(r, b.layer)
		}, "GET http://HOST/v2/app/blobs/LAYER: stopped after 10 redirects", ""},
		{"hangs up", func(b *badly, w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r, b.layer) {
				panic(http.ErrAbortHandler)
			}
			return isBlob(r, b.layer)
		}, "GET http://HOST/v2/app/blobs/LAYER: EOF", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := misbehave(t, c.wrong)
			s := openStore(t)
			before := inventory(t, s.Dir())
			_, err := s.Pull(limited(t), b.ref("1"), PullOptions{Timeout: 200 * time.Millisecond})
			require.Error(t, err)
			want := strings.NewReplacer("HOST", b.host, "LAYER", b.layer.Digest.String(), "NONE", none,
				"SIZE", fmt.Sprint(b.layer.Size), "ZEROS", zeros(b.layer.Size)).Replace(c.want)
			require.Contains(t, err.Error(), want)
			require.True(t, strings.HasPrefix(err.Error(), "pull "+b.ref("1")+": "), err.Error())
			require.NotContains(t, err.Error(), "secret")
			require.NotContains(t, err.Error(), "\n")
			require.Contains(t, hintOf(err), c.hint)
			require.Equal(t, before, inventory(t, s.Dir()))
		})
	}
}

// hintOf is the advice in err, found as the command line finds it.
func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

// zeros is the digest of so many zero bytes.
func zeros(n int64) string {
	h, _, err := v1.SHA256(strings.NewReader(strings.Repeat("\x00", int(n))))
	if err != nil {
		return err.Error()
	}
	return h.String()
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	host := l.Addr().String()
	require.NoError(t, l.Close())
	s := openStore(t)
	before := inventory(t, s.Dir())
	_, err = s.Pull(limited(t), host+"/app:1", PullOptions{})
	require.EqualError(t, err, "pull "+host+"/app:1: GET https://"+host+"/v2/: connect "+host+": ECONNREFUSED: connection refused")
	require.Contains(t, hintOf(err), "running")
	require.Equal(t, before, inventory(t, s.Dir()))
}

// A name that is not loopback is never asked in plain HTTP, not even when the
// library would.
func TestPlainHTTPStaysOnLoopback(t *testing.T) {
	for host, plain := range map[string]bool{
		"127.0.0.1": true, "127.1.2.3": true, "localhost": true, "::1": true, "10.0.0.1": false, "192.168.1.1": false,
		"172.16.0.9": false, "registry.localhost": false, "localhost.example": false, "registry.example": false,
	} {
		require.Equal(t, plain, loopback(host), host)
	}
	w, end := newWire(PullOptions{Timeout: time.Second})
	defer end()
	req, err := http.NewRequest("GET", "http://10.0.0.1/v2/", nil)
	require.NoError(t, err)
	_, err = w.RoundTrip(req)
	var plain *PlainHTTPError
	require.ErrorAs(t, err, &plain)

	repo, err := name.NewRepository("10.0.0.1:5000/app")
	require.NoError(t, err)
	require.Equal(t, "http", repo.Scheme(), "what the library thinks")
	var left []string // what gets through to the network
	w.inner = onTheWay(func(req *http.Request) { left = append(left, req.URL.Scheme) })
	_, err = transport.NewWithContext(limited(t), repo.Registry, authn.Anonymous, w, nil)
	require.ErrorIs(t, err, syscall.ENETDOWN)
	require.Equal(t, []string{"https"}, left)
}

// onTheWay sees requests, and there is no network behind it.
type onTheWay func(*http.Request)

func (see onTheWay) RoundTrip(req *http.Request) (*http.Response, error) {
	see(req)
	return nil, syscall.ENETDOWN
}

func TestCancelledPullLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancelCause(limited(t))
	why := errors.New("interrupted")
	b := misbehave(t, func(b *badly, w http.ResponseWriter, r *http.Request) bool {
		if isBlob(r, b.layer) {
			w.Header().Set("Content-Length", fmt.Sprint(b.layer.Size))
			w.Write(make([]byte, 1000))
			w.(http.Flusher).Flush()
			cancel(why)
			hang(r)
		}
		return isBlob(r, b.layer)
	})
	s := openStore(t)
	before := inventory(t, s.Dir())
	_, err := s.Pull(ctx, b.ref("1"), PullOptions{})
	require.ErrorIs(t, err, why)
	require.Equal(t, before, inventory(t, s.Dir()))
}

func honest(*badly, http.ResponseWriter, *http.Request) bool { return false }
