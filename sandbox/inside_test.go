package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cutaway/sandbox/plan"

	"github.com/stretchr/testify/require"
)

// TestLinksLeadNowhereElse runs an image whose links climb above its root, while
// the host's root is still stacked there: no mount point is made on the host.
func TestLinksLeadNowhereElse(t *testing.T) {
	lab := newLab(t)
	host := t.TempDir() // of the same name inside, after it was made there
	up := strings.Repeat("../", 20) + host
	for _, dir := range []string{"etc", "dev", "sys", "srv"} {
		at := filepath.Join(lab.tree, dir)
		require.NoError(t, os.RemoveAll(at))
		require.NoError(t, os.Symlink(up+"/"+dir, at))
	}
	for _, dir := range []string{host, filepath.Dir(host), filepath.Dir(filepath.Dir(host))} {
		require.NoError(t, os.Chmod(dir, 0o777)) // whoever gets there could write
	}
	spec := lab.spec("/bin/sh", "-c", "[ -d "+host+"/srv/mem ] && [ -d /srv/dir ] && [ -f /srv/file ] && [ -c /dev/null ] && [ -f /etc/hosts ] && ! touch /srv/dir/x")
	spec.Mounts = []plan.Mount{
		{Type: "bind", Source: t.TempDir(), Destination: "/srv/dir", Readonly: true},
		{Type: "bind", Source: "/etc/hostname", Destination: "/srv/file", File: true},
		{Type: "tmpfs", Destination: "/srv/mem"},
	}
	exit, err := Run(t.Context(), lab.Lab, spec, null(t), false)
	require.NoError(t, err)
	require.Zero(t, exit.Status())
	made, err := os.ReadDir(host)
	require.NoError(t, err)
	require.Empty(t, made)
}
