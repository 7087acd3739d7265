package image

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"
)

// writeDockerConfig makes docker's configuration hold a password for host.
func writeDockerConfig(t *testing.T, host string) {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("learner:secret"))
	text := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, auth)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600))
	t.Setenv("DOCKER_CONFIG", dir)
}

// Both ways to log in, with the password docker has; nothing of it, nor of the
// token, is in what is reported.
func TestLogin(t *testing.T) {
	for _, kind := range []string{"Basic", "Bearer"} {
		t.Run(kind, func(t *testing.T) {
			b := misbehave(t, func(b *badly, w http.ResponseWriter, r *http.Request) bool {
				user, password, _ := r.BasicAuth()
				known := user == "learner" && password == "secret"
				switch {
				case r.URL.Path == "/token" && known:
					fmt.Fprint(w, `{"token":"secret-token"}`)
					return true
				case kind == "Basic" && known, r.Header.Get("Authorization") == "Bearer secret-token":
					return false
				}
				w.Header().Set("WWW-Authenticate", fmt.Sprintf(`%s realm="http://%s/token",service="here"`, kind, b.host))
				w.WriteHeader(http.StatusUnauthorized)
				return true
			})
			s := openStore(t)
			_, err := s.Pull(limited(t), b.ref("1"), PullOptions{})
			require.ErrorContains(t, err, "401 Unauthorized")

			writeDockerConfig(t, b.host)
			var mu sync.Mutex
			var seen []string
			_, err = s.Pull(limited(t), b.ref("1"), PullOptions{Request: func(r Request) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, fmt.Sprintf("%+v", r))
			}})
			require.NoError(t, err)
			require.NotEmpty(t, seen)
			require.NotContains(t, strings.Join(seen, "\n"), "secret")
		})
	}
}

// A certificate nobody vouches for is refused, unless the user says so; plain
// HTTP to a server that wants TLS is not the error to tell.
func TestUntrustedCertificate(t *testing.T) {
	quiet := log.New(io.Discard, "", 0)
	server := httptest.NewUnstartedServer(registry.New(registry.Logger(quiet)))
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	ref := strings.TrimPrefix(server.URL, "https://") + "/app:1"
	s := openStore(t)
	_, err := s.Pull(limited(t), ref, PullOptions{})
	require.ErrorContains(t, err, "GET https://"+strings.TrimSuffix(ref, "/app:1")+"/v2/: certificate not trusted: ")
	_, err = s.Pull(limited(t), ref, PullOptions{Insecure: true})
	require.ErrorIs(t, err, ErrNotFound, "and then talks to it")
}
