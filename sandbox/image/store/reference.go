package store

import (
	"fmt"
	"net/url"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The registry that a reference without one means: by the name people have for
// it, and by that of its host.
const (
	dockerHub  = "docker.io"
	dockerHost = "index.docker.io"
)

// How long names may be, in bytes: OCI distribution-spec, "Pulling manifests".
const (
	maxRepository = 255 // not the registry's rule, but what its clients keep to
	maxTag        = 128
)

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

// Canonical gives the full form of a reference, under which the store keeps an
// image: busybox is docker.io/library/busybox:latest. It reads ref as docker
// does: the registry defaults to docker.io, its official images to library/, the
// tag to latest. A digest beside a tag wins: the tag is then only for people to
// read.
func Canonical(ref string) (string, error) {
	if ref == BuiltInRef {
		return ref, nil
	}
	if ref == "" {
		return "", &ReferenceError{ref, "it is empty"}
	}
	named, digest, byDigest := strings.Cut(ref, "@")
	registry, rest := splitRegistry(named)
	repo, tag, tagged := strings.Cut(rest, ":")
	if !tagged {
		tag = "latest"
	}
	if fact := malformed(registry, repo, tag); fact != "" {
		return "", &ReferenceError{ref, fact}
	}
	if registry == dockerHub && !strings.Contains(repo, "/") {
		repo = "library/" + repo
	}
	full := registry + "/" + repo
	if !byDigest {
		return full + ":" + tag, nil
	}
	if _, err := v1.NewHash(digest); err != nil {
		return "", &ReferenceError{ref, "the digest must be sha256:HEX or sha512:HEX, of 64 or 128 digits"}
	}
	return full + "@" + digest, nil
}

// splitRegistry tells a registry from the first part of a repository's name: it
// has a dot or a port, or is localhost.
func splitRegistry(named string) (registry, rest string) {
	registry, rest, more := strings.Cut(named, "/")
	if !more || registry != "localhost" && !strings.ContainsAny(registry, ".:") {
		return dockerHub, named
	}
	if registry == dockerHost {
		registry = dockerHub
	}
	return registry, rest
}

// malformed says what is wrong with the parts of a reference, "" if nothing is.
func malformed(registry, repo, tag string) (fact string) {
	if u, err := url.Parse("//" + registry); err != nil || u.Host != registry {
		return fmt.Sprintf("%q is not the name of a registry", registry)
	}
	switch {
	case repo != strings.ToLower(repo):
		return "repository names are lower case"
	case len(repo) > maxRepository || !isRepository(repo):
		return fmt.Sprintf("%q is not a repository name", repo)
	case !isTag(tag):
		return fmt.Sprintf("%q is not a tag", tag)
	}
	return ""
}

// isRepository reports whether name is components with slashes between: the grammar
// is the distribution-spec's, whose regular expressions take longer to compile than
// an image to be found.
func isRepository(name string) bool {
	for component := range strings.SplitSeq(name, "/") {
		if !isComponent(component) {
			return false
		}
	}
	return true
}

// isComponent reports whether text is words of small letters and digits, with a
// separator between any two: ".", "_", "__", or dashes.
func isComponent(text string) bool {
	other := func(r rune) bool { return !alphanumeric(r) }
	for {
		rest := strings.TrimLeftFunc(text, alphanumeric)
		switch {
		case rest == text:
			return false // no word
		case rest == "":
			return true
		}
		text = strings.TrimLeftFunc(rest, other)
		switch separator := strings.TrimSuffix(rest, text); {
		case separator == ".", separator == "_", separator == "__":
		case strings.Trim(separator, "-") != "":
			return false
		}
	}
}

// isTag reports whether tag is letters, digits, "_", "." and "-", the last two not
// at its beginning.
func isTag(tag string) bool {
	other := func(r rune) bool { return !alphanumeric(r) && (r < 'A' || r > 'Z') && !strings.ContainsRune("_.-", r) }
	return tag != "" && len(tag) <= maxTag && !strings.ContainsAny(tag[:1], ".-") && !strings.ContainsFunc(tag, other)
}

func alphanumeric(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }

// repositoryOf cuts tag and digest off a canonical reference.
func repositoryOf(full string) string {
	full, _, _ = strings.Cut(full, "@")
	if colon := strings.LastIndexByte(full, ':'); colon > strings.LastIndexByte(full, '/') {
		return full[:colon]
	}
	return full
}
