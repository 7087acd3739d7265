package image

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Request is one HTTP exchange with a registry, as it was.
type Request struct {
	Method    string
	URL       string // signatures and tokens in it redacted
	Status    int    // 0 if there was no answer
	MediaType string // Content-Type of the answer
	Digest    string // Docker-Content-Digest of the answer: what the registry claims
	Bytes     int64  // of the body, as far as it was read
	Took      time.Duration
	Err       string // why there was no answer, or no whole one
}

// wire is the lowest layer of the connection to a registry: whatever the
// libraries above it want to send, redirects and logins included, passes here.
// It refuses plain HTTP beyond loopback, bounds every silence, and reports.
type wire struct {
	inner    http.RoundTripper
	insecure bool
	silence  time.Duration
	report   func(Request) // may be nil

	mu    sync.Mutex
	plain error // why the last attempt over plain HTTP failed
}

// plainFailure tells why the last request over plain HTTP failed, nil if none did.
func (w *wire) plainFailure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.plain
}

// newWire returns a wire over connections of its own; close ends them.
func newWire(o PullOptions) (w *wire, close func()) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{InsecureSkipVerify: o.Insecure} // --insecure means just that
	t.ForceAttemptHTTP2 = true                                      // a TLSClientConfig of one's own turns it off
	t.DisableCompression = true                                     // digests are of the bytes as they are stored
	return &wire{inner: t, insecure: o.Insecure, silence: cmp.Or(o.Timeout, 30*time.Second), report: o.Request},
		t.CloseIdleConnections
}

// RoundTrip makes one exchange (http.RoundTripper). The exchange ends, and is
// reported, when its body has been read or closed.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{
		wire: w, start: time.Now(), timedOut: &SilenceError{Method: req.Method, URL: redact(req.URL), After: w.silence},
		seen: Request{Method: req.Method, URL: redact(req.URL)},
	}
	if err := w.allowed(req); err != nil {
		x.end(err)
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	x.ctx, x.cancel = ctx, cancel
	x.timer = time.AfterFunc(w.silence, func() { cancel(x.timedOut) })
	resp, err := w.inner.RoundTrip(req.WithContext(ctx))
	x.timer.Stop()
	if err != nil {
		err = x.cause(err)
		x.end(err)
		if req.URL.Scheme == "http" {
			w.mu.Lock()
			w.plain = err
			w.mu.Unlock()
		}
		return nil, err
	}
	x.seen.Status = resp.StatusCode
	x.seen.MediaType = resp.Header.Get("Content-Type")
	x.seen.Digest = resp.Header.Get("Docker-Content-Digest")
	x.body = resp.Body
	resp.Body = x
	return resp, nil
}

// allowed refuses what must not leave this machine: anything unencrypted, and
// a registry's attempt to send this machine to itself by a redirect.
func (w *wire) allowed(req *http.Request) error {
	if w.insecure {
		return nil
	}
	if req.URL.Scheme != "https" && !loopback(req.URL.Hostname()) {
		return &PlainHTTPError{URL: redact(req.URL), To: "plain HTTP goes no further than loopback"}
	}
	if req.Response != nil && req.Response.Request != nil && // both set by net/http after a redirect
		loopback(req.URL.Hostname()) && !loopback(req.Response.Request.URL.Hostname()) {
		return &PlainHTTPError{URL: redact(req.URL), To: "a remote registry redirects to this machine"}
	}
	return nil
}

// loopback reports whether host is this machine: 127.0.0.0/8, ::1, localhost.
func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// exchange is a request on its way, and then the body of its answer.
type exchange struct {
	wire     *wire
	ctx      context.Context
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	timedOut error
	start    time.Time
	body     io.ReadCloser
	seen     Request
	once     sync.Once
}

// Read reads the body. Only the registry's time counts, not the reader's: the
// clock runs during Read.
func (x *exchange) Read(b []byte) (int, error) {
	x.timer.Reset(x.wire.silence)
	n, err := x.body.Read(b)
	x.timer.Stop()
	x.seen.Bytes += int64(n)
	if err == io.EOF {
		x.end(nil)
	} else if err != nil {
		err = x.cause(err)
		x.end(err)
	}
	return n, err
}

// Close ends the exchange wherever it is.
func (x *exchange) Close() error {
	err := x.body.Close()
	x.end(nil)
	return err
}

// cause tells why the context ended, if that is what err is about.
func (x *exchange) cause(err error) error {
	if x.ctx.Err() != nil {
		return context.Cause(x.ctx)
	}
	return err
}

// end reports the exchange, once.
func (x *exchange) end(err error) {
	x.once.Do(func() {
		if x.cancel != nil {
			x.timer.Stop()
			x.cancel(errors.New("exchange over"))
		}
		if x.wire.report == nil {
			return
		}
		x.seen.Took = time.Since(x.start)
		if err != nil {
			x.seen.Err = withoutURL(err)
		}
		x.wire.report(x.seen)
	})
}

// public lists the query parameters of the registry protocol. Anything else
// in a URL may be a signature that is as good as a password.
var public = map[string]bool{"scope": true, "service": true, "digest": true, "n": true, "last": true, "account": true}

// redact gives a URL that can be shown.
func redact(u *url.URL) string {
	shown := *u
	q := shown.Query()
	for k := range q {
		if !public[k] {
			q.Set(k, "REDACTED")
		}
	}
	shown.RawQuery = q.Encode()
	return shown.Redacted()
}

// withoutURL is the text of err, without the unredacted URL that net/http
// puts in front of it.
func withoutURL(err error) string {
	var noTLS tls.RecordHeaderError
	if errors.As(err, &noTLS) {
		return "the server speaks no TLS"
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}
