package image

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
)

// dockerHub is what people call the registry that go-containerregistry calls
// index.docker.io.
const dockerHub = "docker.io"

// The grammar of names and tags: OCI distribution-spec, "Pulling manifests".
// Compiled when first needed: a container that is in the store needs neither.
var (
	repositoryGrammar = lazily(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagGrammar        = lazily(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// ReferenceError says why a text is not an image reference.
type ReferenceError struct {
	Ref  string
	Fact string
}

func (e *ReferenceError) Error() string {
	return fmt.Sprintf("parse image reference %q: %s", e.Ref, e.Fact)
}

// Hint shows what a reference looks like.
func (e *ReferenceError) Hint() string {
	return "a reference is [HOST[:PORT]/]NAME[:TAG][@DIGEST]: busybox, localhost:5000/app:1.2"
}

// parseReference reads ref as docker does: the registry defaults to docker.io,
// its official images to library/, the tag to latest. A digest beside a tag
// wins: the tag is then only for people to read.
func parseReference(ref string) (name.Reference, error) {
	bad := func(format string, args ...any) (name.Reference, error) {
		return nil, &ReferenceError{Ref: ref, Fact: fmt.Sprintf(format, args...)}
	}
	if ref == "" {
		return bad("it is empty")
	}
	rest, digest, byDigest := strings.Cut(ref, "@")
	var parsed name.Reference
	var err error
	tag, err := name.NewTag(rest)
	if err != nil {
		return bad("%s", firstLine(err))
	}
	parsed = tag
	if byDigest {
		if !strings.HasPrefix(digest, "sha256:") && !strings.HasPrefix(digest, "sha512:") {
			return bad("the digest must be sha256:HEX or sha512:HEX")
		}
		if parsed, err = name.NewDigest(ref); err != nil {
			return bad("%s", firstLine(err))
		}
	}
	repo := parsed.Context().RepositoryStr()
	if repo != strings.ToLower(repo) {
		return bad("repository names are lower case")
	}
	if !repositoryGrammar().MatchString(repo) {
		return bad("%q is not a repository name", repo)
	}
	if !tagGrammar().MatchString(tag.TagStr()) {
		return bad("%q is not a tag", tag.TagStr())
	}
	return parsed, nil
}

// firstLine is the text of err, on one line.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// Canonical gives the full form of a reference, under which the store keeps an
// image: busybox is docker.io/library/busybox:latest.
func Canonical(ref string) (string, error) {
	if ref == BuiltInRef {
		return ref, nil
	}
	parsed, err := parseReference(ref)
	if err != nil {
		return "", err
	}
	return canonical(parsed), nil
}

// repositoryOf cuts tag and digest off a canonical reference.
func repositoryOf(full string) string {
	full, _, _ = strings.Cut(full, "@")
	if colon := strings.LastIndexByte(full, ':'); colon > strings.LastIndexByte(full, '/') {
		return full[:colon]
	}
	return full
}

func canonical(ref name.Reference) string {
	full := ref.Name()
	if rest, ok := strings.CutPrefix(full, name.DefaultRegistry+"/"); ok {
		return dockerHub + "/" + rest
	}
	return full
}
