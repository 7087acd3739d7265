package stages

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"cutaway/stages/buildup"
)

// imageStage takes the layers from a registry.
var imageStage = Stage{
	Part:    buildup.Image,
	Title:   "an image pulled from a registry",
	Belief:  "an image is a disk, a tag says which one, and what a later layer deletes is gone",
	Lesson:  "An image is a few documents and archives that name one another by digest. Whoever knows the first digest knows all of them; a tag can point elsewhere tomorrow, and a deleted file is only hidden.",
	Code:    "sandbox/image/pull.go",
	Prepare: pullImage,
	Look:    lookImage,
}

func lookImage(ctx context.Context, l *Look) {
	f := l.Materials.Pulled
	l.Note("STORE is %s", f.Store.Dir())
	l.Outside("cd STORE/layout/blobs/sha256; sha256sum *", "each blob's name is the digest of its bytes", f.digests,
		func(text string) bool {
			return strings.Count(text, ": OK") == len(f.Image.Blobs()) && !strings.Contains(text, "WRONG")
		})
	lookLayers(l)
	lookTag(ctx, l)
	lookTampered(ctx, l)
}

// lookLayers compares what the container sees with the layers it is made of.
func lookLayers(l *Look) {
	layers := l.Container.Spec.Root.Lower
	below, above := layers[len(layers)-1], layers[len(layers)-2]
	l.Note("LAYERS is %s", filepath.Dir(below))
	l.Inside("cat /etc/motd", "the text of the topmost layer that has one", func(o Out) bool { return o.Has("layer 2") })
	l.Outside("cat LAYERS/1/etc/motd", "the layer below has its own", readFile(below+"/etc/motd"),
		func(text string) bool { return strings.Contains(text, "layer 1") })
	l.Inside("[ -e /etc/secret ] || echo gone", "layer 2 deleted it", says("gone"))
	l.Outside("stat -c '%F %t:%T' LAYERS/2/etc/secret", "by a whiteout", kindOf(above+"/etc/secret"), is("character special file 0:0"))
	l.Outside("head -1 LAYERS/1/etc/secret", "it is in layer 1 for everybody who pulls the image", readLine(below+"/etc/secret", "password="),
		func(text string) bool { return strings.HasPrefix(text, "password=") })
}

// says is is, for what is run inside.
func says(want string) func(Out) bool { return func(o Out) bool { return o.Text == want } }

// lookTag has the registry's owner move the tag.
func lookTag(ctx context.Context, l *Look) {
	f := l.Materials.Pulled
	url := f.url("manifests/latest")
	head := "curl -sI " + url + " | grep Docker-Content-Digest"
	l.Outside(head, "today the tag leads to the index that we have", f.resolve(ctx, url), is(f.top()))
	l.Note("now the registry's owner puts something else under the same tag: nothing forbids it")
	l.Outside("curl -X PUT --data-binary @MANIFEST "+url, "done", f.retag(ctx), is("201 Created"))
	l.Outside(head, "the same tag, another digest", f.resolve(ctx, url), func(text string) bool {
		return strings.HasPrefix(text, "sha256:") && text != f.top()
	})
	byDigest := f.url("manifests/" + f.top())
	l.Outside("curl -sI "+byDigest+" | grep Docker-Content-Digest", "whoever asks for the digest still gets the same", f.resolve(ctx, byDigest), is(f.top()))
}

// lookTampered has the registry change one byte of a layer.
func lookTampered(ctx context.Context, l *Look) {
	f := l.Materials.Pulled
	layer := f.Image.Layers[0].Digest
	f.Registry.Tamper(layer)
	l.Note("now the registry changes one byte of layer 1, %.19s..., and keeps its name; the archive would still unpack to the same files. The next pull fails, on purpose", layer)
	l.Outside(fmt.Sprintf("cutaway pull %s", f.Registry.Ref()), "refused: these bytes have another digest", f.refused(ctx, layer),
		func(text string) bool { return strings.Contains(text, layer) && !strings.HasPrefix(text, "pulled") })
	l.Outside("find STORE-2 -path '*/blobs/*' -type f", "and nothing of it was kept", f.kept, is("(nothing)"))
}
