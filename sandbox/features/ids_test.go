package features

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpareIDs(t *testing.T) {
	const all = "         0          0 4294967295\n"
	for name, c := range map[string]struct {
		uids, gids string
		want       IDs
	}{
		"the machine":            {all, all, IDs{100000, 65536}},
		"no user namespaces":     {"", "", IDs{100000, 65536}},
		"a container of the lab": {"0 100000 65536\n", "0 100000 65536\n", IDs{32768, 32768}},
		"fewer groups":           {all, "0 100000 65536\n", IDs{32768, 32768}},
		"one in that":            {"0 32768 32768\n", "0 32768 32768\n", IDs{16384, 16384}},
		"an ordinary user's":     {"0 1000 1\n", "0 1000 1\n", IDs{0, 1}},
		"with subordinate ids":   {"0 1000 1\n1 200000 65536\n", "0 1000 1\n1 200000 65536\n", IDs{32769, 32768}},
	} {
		require.Equal(t, c.want, spareIDs(c.uids, c.gids), name)
	}
}
