package features

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// IDs is a run of user and group ids that belong to nobody, for the users of
// containers to be.
type IDs struct {
	First int `json:"first"`
	Count int `json:"count"`
}

// ordinary is what the lab takes where all ids exist. Ids this high belong to
// nobody: login.defs(5), SUB_UID_MIN.
var ordinary = IDs{First: 100000, Count: 65536}

// spareIDs finds ids for containers among those that exist in our user
// namespace, given its uid_map and gid_map: in a container that is a lab's own
// not many do, and the upper half of them is for the next.
func spareIDs(maps ...string) IDs {
	spare := ordinary
	for _, m := range maps {
		first, count := 0, 0
		for line := range strings.Lines(m) {
			var inside, outside, n int
			if _, err := fmt.Sscan(line, &inside, &outside, &n); err == nil && n > count {
				first, count = inside, n
			}
		}
		if end := first + count; count > 0 && end < spare.First+spare.Count {
			spare = IDs{First: end - (count+1)/2, Count: (count + 1) / 2}
		}
	}
	return spare
}

// readIDMaps reads the maps of our user namespace; without user namespaces there
// are none.
func readIDMaps(root string) (uids, gids string) {
	u, _ := os.ReadFile(filepath.Join(root, "proc/self/uid_map")) // then all ids exist
	g, _ := os.ReadFile(filepath.Join(root, "proc/self/gid_map"))
	return string(u), string(g)
}
