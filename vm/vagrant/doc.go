// Package vagrant tests the whole machine: the Vagrantfile, a box made by
// vm/box.sh, vm/provision.sh, and the tour inside.
//
// Its one invariant: the project's Vagrantfile is used as it is. What this
// computer needs on top, such as emulation in software, is in a Vagrantfile of
// VAGRANT_HOME, which Vagrant merges below it.
//
// The tests need root and the programs that vm/packages.sh lists for
// test-vagrant and box; make test-vagrant installs them.
package vagrant
