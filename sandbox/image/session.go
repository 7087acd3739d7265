package image

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"cutaway/sandbox/image/store"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// session is a conversation with one repository of one registry: after the
// login, nothing but GETs (OCI distribution-spec, "Pull").
type session struct {
	client *http.Client
	base   string // https://HOST/v2/NAME/
	host   string
}

// open logs in: GET /v2/, and if that asks for it a token, with the
// credentials docker would use. The returned function ends the connections.
func openSession(ctx context.Context, ref name.Reference, o PullOptions) (*session, func(), error) {
	w, end := newWire(o)
	repo, err := withScheme(ref.Context(), o.Insecure)
	if err != nil {
		return nil, end, err
	}
	host := repo.RegistryStr()
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, repo)
	if err != nil {
		return nil, end, fmt.Errorf("find credentials for %s: %w", host, err)
	}
	scopes := []string{repo.Scope(transport.PullScope)}
	loggedIn, err := transport.NewWithContext(ctx, repo.Registry, auth, w, scopes)
	if err != nil {
		if plain := w.plainFailure(); plain != nil && errors.Is(err, http.ErrSchemeMismatch) {
			err = plain // HTTPS was only the first try
		}
		return nil, end, explain(ctx, "GET", "https://"+host+"/v2/", err)
	}
	return &session{
		client: &http.Client{Transport: loggedIn},
		base:   "https://" + host + "/v2/" + repo.RepositoryStr() + "/",
		host:   host,
	}, end, nil
}

// withScheme decides whether plain HTTP may be tried after HTTPS: on loopback,
// or where the user says so. The library's own opinion (private addresses are
// fine) is overruled by wire.
func withScheme(repo name.Repository, insecure bool) (name.Repository, error) {
	var options []name.Option
	u := url.URL{Host: repo.RegistryStr()}
	if insecure || loopback(u.Hostname()) {
		options = append(options, name.Insecure)
	}
	reg, err := name.NewRegistry(repo.RegistryStr(), options...)
	if err != nil {
		return repo, &ReferenceError{Ref: repo.Name(), Fact: firstLine(err)}
	}
	return reg.Repo(repo.RepositoryStr()), nil
}

// accepted are the manifests this program understands.
var accepted = strings.Join([]string{
	string(types.OCIImageIndex), string(types.DockerManifestList),
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
}, ", ")

// get asks for base+path and returns the answer if it is 200.
func (s *session) get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(path, "manifests/") {
		req.Header.Set("Accept", accepted)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, explain(ctx, req.Method, redact(req.URL), err)
	}
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		resp.Body.Close()
		return nil, explain(ctx, req.Method, redact(resp.Request.URL), err)
	}
	resp.Body = explained{resp.Body, func(err error) error {
		return explain(ctx, req.Method, redact(resp.Request.URL), err)
	}}
	return resp, nil
}

// explained is a body whose errors say what was being read.
type explained struct {
	io.ReadCloser
	explain func(error) error
}

// Read passes on io.EOF and io.ErrUnexpectedEOF, which the reader judges.
func (e explained) Read(b []byte) (int, error) {
	n, err := e.ReadCloser.Read(b)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = e.explain(err)
	}
	return n, err
}

// manifest fetches the manifest or index that identifier (a tag or a digest)
// names. want, unless nil, is what an index announced it to be.
func (s *session) manifest(ctx context.Context, identifier string, want *v1.Descriptor) ([]byte, v1.Descriptor, error) {
	resp, err := s.get(ctx, "manifests/"+identifier)
	if err != nil {
		return nil, v1.Descriptor{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, store.MaxManifest+1))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, v1.Descriptor{}, &store.SizeError{What: "manifest", Where: s.host, Digest: identifier, Want: resp.ContentLength, Got: int64(len(raw))}
	}
	if err != nil {
		return nil, v1.Descriptor{}, err
	}
	d := v1.Descriptor{Size: int64(len(raw)), MediaType: kindOf(resp, raw)}
	if err := store.CheckAnnounced(d, "manifest", s.host); err != nil {
		return nil, d, err
	}
	if err := s.checkManifest(&d, raw, identifier, want); err != nil {
		return nil, d, err
	}
	return raw, d, nil
}

// checkManifest sets the digest of d, compares it with the one asked for, and
// d with what was announced. A tag promises no digest: there the registry is
// believed, and whatever it sends is named by its own digest from then on.
func (s *session) checkManifest(d *v1.Descriptor, raw []byte, identifier string, want *v1.Descriptor) error {
	algorithm, _, isDigest := strings.Cut(identifier, ":")
	if !isDigest {
		algorithm = "sha256"
	}
	sum, err := v1.Hasher(algorithm)
	if err != nil {
		return fmt.Errorf("verify manifest %s: %w", identifier, err)
	}
	sum.Write(raw)
	d.Digest = store.DigestOf(algorithm, sum)
	if want != nil && want.Size != d.Size {
		return &store.SizeError{What: "manifest", Where: s.host, Digest: identifier, Want: want.Size, Got: d.Size}
	}
	if isDigest && d.Digest.String() != identifier {
		return &DigestError{What: "manifest", Where: s.host, Want: identifier, Got: d.Digest.String()}
	}
	return nil
}

// kindOf tells the media type of a manifest: its own word first, which the
// digest covers, then the header's.
func kindOf(resp *http.Response, raw []byte) types.MediaType {
	var own struct {
		MediaType types.MediaType `json:"mediaType"`
		Manifests json.RawMessage `json:"manifests"`
	}
	// A document that is not JSON has no media type of its own, and is refused
	// where it is parsed.
	_ = json.Unmarshal(raw, &own)
	if own.MediaType != "" {
		return own.MediaType
	}
	header, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	switch kind := types.MediaType(strings.TrimSpace(header)); {
	case kind.IsIndex() || kind.IsImage() || kind.IsSchema1():
		return kind
	case own.Manifests != nil:
		return types.OCIImageIndex
	}
	return types.OCIManifestSchema1
}

// blob opens the blob d for reading; the reader verifies.
func (s *session) blob(ctx context.Context, d v1.Descriptor, what string) (io.ReadCloser, error) {
	if err := store.CheckAnnounced(d, what, s.host); err != nil {
		return nil, err
	}
	resp, err := s.get(ctx, "blobs/"+d.Digest.String())
	if err != nil {
		return nil, err
	}
	if n := resp.ContentLength; n >= 0 && n != d.Size {
		resp.Body.Close()
		return nil, &store.SizeError{What: what, Where: s.host, Digest: d.Digest.String(), Want: d.Size, Got: n}
	}
	v, err := store.Verify(resp.Body, d, what, s.host)
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{v, resp.Body}, nil
}

// explain turns what net/http and the registry library say into one fact, and
// drops the unredacted URL they say it with.
func explain(ctx context.Context, method, where string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var (
		silence *SilenceError
		plain   *PlainHTTPError
		answer  *transport.Error
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		host    x509.HostnameError
		network *net.OpError
	)
	e := &RegistryError{Method: method, URL: where, Err: err, Fact: withoutURL(err)}
	switch {
	case errors.As(err, &cert), errors.As(err, &host):
		e.Fact = "certificate not trusted: " + withoutURL(err)
	case errors.As(err, &answer):
		e.Status, e.Fact = answer.StatusCode, diagnostics(answer)
		if answer.Request != nil {
			e.Method, e.URL = answer.Request.Method, redact(answer.Request.URL)
		}
	case errors.As(err, &silence):
		return silence
	case errors.As(err, &dns):
		e.Fact = "look up " + dns.Name + ": " + dns.Err
	case errors.As(err, &network) && network.Addr != nil:
		e.Fact = "connect " + network.Addr.String() + ": " + errno(network)
	case errors.Is(err, http.ErrSchemeMismatch):
		e.Fact, e.Err = "the server speaks plain HTTP", http.ErrSchemeMismatch
	case errors.As(err, &plain):
		return plain
	}
	return e
}

// diagnostics is what the registry says about its refusal, on one line
// (distribution-spec, "Error Codes").
func diagnostics(e *transport.Error) string {
	var texts []string
	for _, d := range e.Errors {
		text := string(d.Code)
		if d.Message != "" {
			text += ": " + d.Message
		}
		texts = append(texts, strings.Join(strings.Fields(text), " "))
	}
	return strings.Join(texts, "; ")
}

// firstLine is the text of err, on one line.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
