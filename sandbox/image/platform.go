package image

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"cutaway/sandbox/image/store"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// PlatformError says that an image exists only for other platforms.
type PlatformError struct {
	Ref     string
	Want    string   // "linux/amd64"
	Have    []string // what there is
	Machine bool     // Want is this machine, not somebody's explicit wish
}

func (e *PlatformError) Error() string {
	want := "wanted is " + e.Want
	if e.Machine {
		want = "this machine is " + e.Want
	}
	have := strings.Join(e.Have, ", ")
	if have == "" {
		have = "no platform"
	}
	return fmt.Sprintf("image %s is for %s; %s", e.Ref, have, want)
}

// Hint names the flag that chooses.
func (e *PlatformError) Hint() string {
	if len(e.Have) == 0 {
		return ""
	}
	return "--platform " + e.Have[0] + " fetches that one; only programs of this machine's kind run on it"
}

// wanted parses the platform asked for; "" is this machine.
func wanted(platform string) (v1.Platform, error) {
	if platform == "" {
		return v1.Platform{OS: "linux", Architecture: runtime.GOARCH}, nil
	}
	p, err := v1.ParsePlatform(platform)
	if err != nil || p.OS == "" || p.Architecture == "" {
		return v1.Platform{}, &ReferenceError{Ref: platform, Fact: "a platform is OS/ARCH[/VARIANT], such as linux/arm64"}
	}
	return *p, nil
}

// choose picks from an index the manifest for the platform. Entries without
// one are possible: then a lone entry is taken at its word, and its config
// tells.
func choose(ref string, index *v1.IndexManifest, want v1.Platform, machine bool) (v1.Descriptor, error) {
	var fits []v1.Descriptor
	var have []string
	for _, d := range index.Manifests {
		switch {
		case d.Platform == nil || d.Platform.OS == "":
			if len(index.Manifests) == 1 {
				return d, nil
			}
		case d.Platform.OS == "unknown": // build attestations travel as images for "unknown/unknown"
		case matches(*d.Platform, want):
			fits = append(fits, d)
		default:
			have = append(have, d.Platform.String())
		}
	}
	if len(fits) == 0 {
		slices.Sort(have)
		return v1.Descriptor{}, &PlatformError{Ref: ref, Want: want.String(), Have: slices.Compact(have), Machine: machine}
	}
	for _, d := range fits {
		if d.Platform.Variant == want.Variant || want.Variant == "" && baseline(*d.Platform) {
			return d, nil
		}
	}
	return fits[0], nil
}

// matches reports whether have serves want. No variant asked for means any,
// and a baseline variant is the same as none.
func matches(have, want v1.Platform) bool {
	return have.OS == want.OS && have.Architecture == want.Architecture &&
		(want.Variant == "" || want.Variant == have.Variant || baseline(have) && baseline(want))
}

// baseline reports whether every processor of the architecture runs it.
func baseline(p v1.Platform) bool {
	switch p.Architecture {
	case "amd64":
		return p.Variant == "" || p.Variant == "v1"
	case "arm64":
		return p.Variant == "" || p.Variant == "v8"
	}
	return p.Variant == ""
}

// checkPlatform refuses an image whose config is for another platform.
func checkPlatform(ref string, c *v1.ConfigFile, want v1.Platform, machine bool) error {
	have := store.PlatformOf(c)
	if c.OS == "" || c.Architecture == "" {
		return fmt.Errorf("read config of %s: it names no platform: not a container image", ref)
	}
	if !matches(have, want) {
		return &PlatformError{Ref: ref, Want: want.String(), Have: []string{have.String()}, Machine: machine}
	}
	return nil
}
