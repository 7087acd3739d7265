package store

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/stretchr/testify/require"
)

func TestCanonical(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a1", 32)
	for ref, want := range map[string]string{
		"busybox":                            "docker.io/library/busybox:latest",
		"busybox:1.36":                       "docker.io/library/busybox:1.36",
		"docker.io/busybox":                  "docker.io/library/busybox:latest",
		"index.docker.io/library/busybox":    "docker.io/library/busybox:latest",
		"grafana/grafana":                    "docker.io/grafana/grafana:latest",
		"ghcr.io/a/b/c:v1":                   "ghcr.io/a/b/c:v1",
		"localhost/x":                        "localhost/x:latest",
		"localhost:5000/x:tag":               "localhost:5000/x:tag",
		"127.0.0.1:5000/a/b":                 "127.0.0.1:5000/a/b:latest",
		"[::1]:5000/x":                       "[::1]:5000/x:latest",
		"busybox@" + digest:                  "docker.io/library/busybox@" + digest,
		"busybox:1.36@" + digest:             "docker.io/library/busybox@" + digest,
		"localhost:5000/x:tag@" + digest:     "localhost:5000/x@" + digest,
		"a__b/c.d-e--f:Tag_1.2-x":            "docker.io/a__b/c.d-e--f:Tag_1.2-x",
		"built-in":                           "built-in",
		"registry.example.:443/x":            "registry.example.:443/x:latest",
		"xn--bcher-kva.example/n":            "xn--bcher-kva.example/n:latest",
		strings.Repeat("a", 200) + "/b:last": "docker.io/" + strings.Repeat("a", 200) + "/b:last",
	} {
		got, err := Canonical(ref)
		require.NoError(t, err, ref)
		require.Equal(t, want, got, ref)
		if ref == BuiltInRef {
			continue
		}
		// The registry's client understands the same by it, and by the full form.
		for _, form := range []string{ref, got} {
			parsed, err := name.ParseReference(form)
			require.NoError(t, err, form)
			require.Equal(t, want, strings.Replace(parsed.Name(), name.DefaultRegistry, dockerHub, 1), form)
		}
	}
}

func TestMalformedReferences(t *testing.T) {
	for ref, fact := range map[string]string{
		"":                                      "it is empty",
		"Busybox":                               "",
		"a b":                                   "",
		"a//b":                                  `"a//b" is not a repository name`,
		"/a":                                    "",
		"a/":                                    "",
		"-a":                                    "",
		"a..b":                                  "",
		"a:":                                    "",
		"a:b:c":                                 "",
		"a:.b":                                  `".b" is not a tag`,
		"a:" + strings.Repeat("t", 129):         "",
		"a@":                                    "",
		"a@sha256:12":                           "",
		"a@md5:" + strings.Repeat("0", 32):      "the digest must be sha256:HEX or sha512:HEX",
		"a@b@sha256:" + strings.Repeat("0", 64): "",
		"https://registry.example/a":            "",
		"../../etc/passwd":                      "",
		"a@sha256:\n" + strings.Repeat("0", 63): "",
		strings.Repeat("a", 256):                "",
		"host:port/a":                           "",
		"a\x00b":                                "",
		"ünïcödé":                               "",
	} {
		_, err := Canonical(ref)
		var bad *ReferenceError
		require.ErrorAs(t, err, &bad, ref)
		require.Contains(t, err.Error(), fact, ref)
		require.NotContains(t, err.Error(), "\n")
		require.Contains(t, bad.Hint(), "NAME[:TAG]")
	}
}

// The distribution-spec states its grammar as regular expressions.
func FuzzGrammar(f *testing.F) {
	repository := regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tag := regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	for _, name := range []string{
		"", "a", "a/b", "/a", "a/", "a//b", "a.b", "a..b", "a_b", "a__b", "a___b", "a-b", "a---b", "a.-b", "a-_b", "-a", "a-", "a.", "_a", "a_",
		"A", "aB", "a b", "\u00e4", "a\x00", "a\n", "\xff", "1.2-x_Y", ".b", "-b", "_b", strings.Repeat("t", maxTag), strings.Repeat("t", maxTag+1),
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		require.Equal(t, repository.MatchString(name), isRepository(name), "%q", name)
		require.Equal(t, tag.MatchString(name), isTag(name), "%q", name)
	})
}
