package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindUser(t *testing.T) {
	top, base := t.TempDir(), t.TempDir()
	for dir, files := range map[string]map[string]string{
		base: {
			"etc/passwd": "root:x:0:0:root:/wrong:/bin/sh\n",
			"etc/group":  "root:x:0:\nwww:x:33:\naudio:x:29:web,other\nvideo:x:44:web\n",
		},
		top: {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nbroken line\nweb:x:101:33:web:/srv:/bin/sh\n"},
	} {
		for name, text := range files {
			path := filepath.Join(dir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
	}
	for user, want := range map[string]User{
		"":         {Home: "/root"},
		"root":     {Home: "/root"},
		"web":      {UID: 101, GID: 33, Groups: []int{29, 44}, Home: "/srv"},
		"101":      {UID: 101, GID: 33, Groups: []int{29, 44}, Home: "/srv"},
		"web:root": {UID: 101, Home: "/srv"},
		"web:7":    {UID: 101, GID: 7, Home: "/srv"},
		"1000":     {UID: 1000},
		"1000:www": {UID: 1000, GID: 33},
	} {
		got, err := FindUser([]string{top, base}, user)
		require.NoError(t, err, user)
		require.Equal(t, want, got, user)
	}
	for _, user := range []string{"nobody", "web:nobody", "-1", "99999999999", "web:"} {
		_, err := FindUser([]string{top, base}, user)
		var unknown *UserError
		require.ErrorAs(t, err, &unknown, user)
	}
}

// TestFindUserLink plants a link to a file of the host where passwd should be.
func TestFindUserLink(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "etc"), 0o755))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "etc/passwd")))
	_, err := FindUser([]string{dir}, "root")
	require.ErrorContains(t, err, "no ordinary file")
}
