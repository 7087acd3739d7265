package progress

import (
	"errors"
	"os"
	"os/user"
	"strconv"

	"cutaway/sandbox/sys"
)

// behindSudo is the person for whom sudo runs this as root, or nil: sudo(8),
// SUDO_UID. The stages need root; who has seen them is that person.
func behindSudo() *user.User {
	if os.Geteuid() != 0 || os.Getenv("SUDO_UID") == "" {
		return nil
	}
	person, err := user.LookupId(os.Getenv("SUDO_UID"))
	if err != nil {
		return nil // then it is kept where root's is
	}
	return person
}

// asPerson does what needs the rights of the person behind sudo to files: in
// their home root has no business but theirs.
func asPerson(do func() error) error {
	p := behindSudo()
	if p == nil {
		return do()
	}
	uid, err := strconv.Atoi(p.Uid)
	gid, gidErr := strconv.Atoi(p.Gid)
	if err = errors.Join(err, gidErr); err != nil {
		return err
	}
	return sys.FilesAs(uid, gid, do)
}
