package overhead

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// engineScript does what an engine's command does, as far as it is asked, by
// chroot(8), and writes down what it was asked for.
const engineScript = `#!/bin/sh
echo "$*" >>"$0.log"
case $1 in
info) exit 0 ;;
--version) echo "podman version 0" ;;
import) mkdir -p "$0.image" && exec tar -x -C "$0.image" ;;
run) shift 8; exec chroot "$0.image" "$@" ;;
*) exit 1 ;;
esac
`

// An engine is given the image, runs every program by a name of this lab's, and
// is told in the end to remove both by these names.
func TestEngine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "podman")
	require.NoError(t, os.WriteFile(path, []byte(engineScript), 0o755))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	ctx := context.Background()
	b, err := newBench(ctx, lab(t), Options{Program: program(t), Init: wholeProgram(t)})
	require.NoError(t, err)
	found, missing := b.contenders(ctx, "podman")
	require.Empty(t, missing)
	require.Len(t, found, 1)
	require.Equal(t, "podman version 0", found[0].version)
	i, err := found[0].start(ctx, idle...)
	require.NoError(t, err)
	_, err = i.first()
	require.NoError(t, err)
	values, err := b.taken(i, found[0])
	require.NoError(t, err)
	require.Positive(t, values["memory.pss"])
	require.NoError(t, i.end())
	image := "cutaway-" + filepath.Base(b.place.Dir)
	require.NoError(t, b.end())

	log, err := os.ReadFile(path + ".log")
	require.NoError(t, err)
	require.Contains(t, string(log), "import - "+image+"\n")
	require.Contains(t, string(log), "run --rm -i --network none --name "+image+"-podman-1 "+image+" /bin/echo here\n")
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	require.Equal(t, []string{"rm --force " + image + "-podman-1", "rmi --force " + image}, lines[len(lines)-2:])
}

// A client without its daemon is told from nothing at all.
func TestEngineWithoutDaemon(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\necho starting >&2\necho no daemon at the socket >&2\nexit 1\n"), 0o755))
	b, err := newBench(context.Background(), lab(t), Options{Program: program(t), Init: wholeProgram(t)})
	require.NoError(t, err)
	defer func() { require.NoError(t, b.end()) }()
	t.Setenv("PATH", dir)
	_, missing := b.contenders(context.Background(), "docker", "podman", "microVM")
	require.Equal(t, []Absent{{"podman", "not installed"}, {"docker", "installed, but it does not work here: no daemon at the socket"}}, missing[:2])
	require.Contains(t, missing[2].Why, "no qemu-system")
}
