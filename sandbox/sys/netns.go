package sys

import "golang.org/x/sys/unix"

// Within runs f on a thread that has joined the namespace at path, and then
// ends the thread. Of the calls made on it only setns(2) and those that f
// records are kept. In dry mode f runs where it is called.
func (k *Kernel) Within(path string, nstype int, f func() error) error {
	work := func() error {
		if nstype == NewNS { // a thread that shares its root with others cannot: setns(2)
			if err := k.Unshare(unix.CLONE_FS); err != nil {
				return err
			}
		}
		if err := k.Setns(path, nstype); err != nil {
			return err
		}
		return f()
	}
	if k.Dry {
		return work()
	}
	return onThrowawayThread(work)
}
