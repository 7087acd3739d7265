package op

import "cutaway/sandbox/sys"

// Chroot moves init's root directory to Path and its working directory with it.
// It changes where path lookup begins and nothing else: chroot(2) says itself
// that it is no security measure.
type Chroot struct {
	Path string `json:"path"`
}

// Name implements Op.
func (Chroot) Name() string { return "chroot" }

// Do implements Op.
func (o Chroot) Do(k *sys.Kernel, _ *Target) error {
	if err := k.Chroot(o.Path); err != nil {
		return at(err, "chroot to %s", o.Path)
	}
	return at(k.Chdir("/"), "enter the new root %s", o.Path)
}

// Shell implements Op.
func (o Chroot) Shell() string { return "chroot " + quote(o.Path) }

// PivotRoot makes the mount at Path the root of the mount namespace and stacks
// the old root on top of it, where init still holds it as ".": pivot_root(2),
// NOTES on pivot_root(".", ".").
type PivotRoot struct {
	Path string `json:"path"`
}

// Name implements Op.
func (PivotRoot) Name() string { return "pivot_root" }

// Do implements Op.
func (o PivotRoot) Do(k *sys.Kernel, _ *Target) error {
	if err := k.Chdir(o.Path); err != nil {
		return at(err, "enter %s", o.Path)
	}
	return at(k.PivotRoot(".", "."), "pivot_root to %s", o.Path)
}

// Shell implements Op.
func (o PivotRoot) Shell() string { return "cd " + quote(o.Path) + " && pivot_root . ." }

// DetachOldRoot unmounts the old root, and everything mounted below it, from
// this mount namespace: umount2(2) with MNT_DETACH. From here on no path leads
// to the host's files.
type DetachOldRoot struct{}

// Name implements Op.
func (DetachOldRoot) Name() string { return "umount" }

// Do implements Op.
func (DetachOldRoot) Do(k *sys.Kernel, _ *Target) error {
	if err := k.Umount2(".", sys.Detach); err != nil {
		return at(err, "unmount the old root")
	}
	return at(k.Chdir("/"), "enter the new root")
}

// Shell implements Op.
func (DetachOldRoot) Shell() string { return "umount -l . && cd /" }
