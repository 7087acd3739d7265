package stages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cutaway/sandbox/image"
)

// What stage 14 asks of the registry, and of the store it pulled into.

// url is where the registry has a manifest or blob of the image: distribution-spec,
// "Pulling manifests".
func (f *Pulled) url(path string) string {
	host, rest, _ := strings.Cut(f.Registry.Ref(), "/")
	name, _, _ := strings.Cut(rest, ":")
	return "http://" + host + "/v2/" + name + "/" + path
}

// top is the digest of the document that the tag led to when it was pulled.
func (f *Pulled) top() string { return f.Image.Blobs()[0].Digest }

// digests computes each blob's digest anew, in the form of sha256sum --check.
func (f *Pulled) digests() (string, error) {
	var lines []string
	for _, b := range f.Image.Blobs() {
		bytes, err := os.ReadFile(b.Path)
		if err != nil {
			return "", err
		}
		verdict := "OK"
		if fmt.Sprintf("sha256:%x", sha256.Sum256(bytes)) != b.Digest || filepath.Base(b.Path) != strings.TrimPrefix(b.Digest, "sha256:") {
			verdict = "WRONG"
		}
		lines = append(lines, fmt.Sprintf("%-8s  %.12s...: %s", b.Role, filepath.Base(b.Path), verdict))
	}
	return strings.Join(lines, "\n"), nil
}

// resolve asks for the digest of what a URL leads to.
func (f *Pulled) resolve(ctx context.Context, url string) func() (string, error) {
	return func() (string, error) {
		r, err := ask(ctx, http.MethodHead, url, "", nil)
		return r.Header.Get("Docker-Content-Digest"), err
	}
}

// retag puts the image's manifest under the tag, in place of its index.
func (f *Pulled) retag(ctx context.Context) func() (string, error) {
	return func() (string, error) {
		for _, b := range f.Image.Blobs() {
			if b.Role != "manifest" {
				continue
			}
			manifest, err := os.ReadFile(b.Path)
			if err != nil {
				return "", err
			}
			r, err := ask(ctx, http.MethodPut, f.url("manifests/latest"), b.MediaType, manifest)
			return r.Status, err
		}
		return "", errors.New("the image has no manifest")
	}
}

// ask makes one HTTP exchange, by no proxy, and gives the answer's head.
func ask(ctx context.Context, method, url, mediaType string, body []byte) (http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return http.Response{}, err
	}
	if mediaType != "" {
		q.Header.Set("Content-Type", mediaType)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Do(q)
	if err != nil {
		return http.Response{}, err
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return *r, err
}

// refused pulls the image into an empty store and gives the error; only a layer
// whose digest is wrong is the one meant.
func (f *Pulled) refused(ctx context.Context, layer string) func() (string, error) {
	return func() (string, error) {
		store, err := image.Open(f.second())
		if err != nil {
			return "", err
		}
		_, err = store.Pull(ctx, f.Registry.Ref(), image.PullOptions{})
		var wrong *image.DigestError
		if errors.As(err, &wrong) && wrong.Want == layer {
			return "cutaway: " + err.Error(), nil
		}
		if err == nil {
			return "pulled", nil
		}
		return "", err
	}
}

func (f *Pulled) second() string { return filepath.Join(f.Dir, "second") }

// kept lists the blobs in the store of the refused pull.
func (f *Pulled) kept() (string, error) {
	store, err := image.Open(f.second())
	if err != nil {
		return "", err
	}
	images, err := store.List()
	if err != nil {
		return "", err
	}
	blobs, err := filepath.Glob(filepath.Join(store.Dir(), "layout", "blobs", "*", "*"))
	if len(images)+len(blobs) == 0 {
		return "(nothing)", err
	}
	return fmt.Sprintf("%d images, blobs %v", len(images), blobs), err
}
