package op

import (
	"os"
	"path"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links the kernel follows in one path before it
// says ELOOP: path_resolution(7).
const maxLinks = 40

// inside follows the links of a path of the container as the kernel will once
// the old root is gone. Until then the old root is stacked on /, and ".." in /
// steps up into it: a link ../../tmp of an image would lead to the host's /tmp.
// So between pivot_root and umount2 every path that an image has a say in is
// resolved here first: what comes out has no link in it and is below /. What
// does not exist yet is kept as it is written.
func inside(p string) (string, error) {
	reached, rest := "/", strings.Split(p, "/")
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		next := path.Join(reached, name) // of / and ".." it makes /
		target, err := os.Readlink(next)
		if name == ".." || err != nil { // no link
			reached = next
			continue
		}
		if links++; links > maxLinks {
			return "", at(syscall.ELOOP, "follow %s", p)
		}
		if path.IsAbs(target) {
			reached = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return reached, nil
}

// insideFile is inside for a path whose last name is to be covered, not
// followed: a file bound over a link hides the link.
func insideFile(p string) (string, error) {
	dir, err := inside(path.Dir(p))
	return path.Join(dir, path.Base(p)), err
}
