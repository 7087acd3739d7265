package main

import (
	"fmt"
	"os"
	"syscall"
)

// getUserNS is NS_GET_USERNS, ioctl_ns(2), since Linux 4.9.
const getUserNS = 0xb701

// owners asks of each namespace of this process which user namespace owns it:
// that is where a process must have a capability for it to count. EPERM is the
// answer where the owner is outside of the caller's own user namespace; for that
// one itself, the owner is its parent.
func owners(args []string) error {
	if len(args) != 0 {
		return errUsage
	}
	for _, name := range []string{"uts", "mnt", "pid", "ipc", "net", "cgroup", "time", "user"} {
		f, err := os.Open("/proc/self/ns/" + name)
		if os.IsNotExist(err) { // a kernel without this type
			continue
		}
		if err != nil {
			return err
		}
		inode, err := inodeOf(f)
		if err != nil {
			return err
		}
		said, err := ownerOf(f)
		if err != nil {
			return err
		}
		fmt.Printf("%-20s NS_GET_USERNS %s\n", fmt.Sprintf("%s:[%d]", name, inode), said)
		f.Close()
	}
	return nil
}

// ownerOf gives the answer to NS_GET_USERNS: a descriptor, of which only the
// inode is of interest.
func ownerOf(namespace *os.File) (string, error) {
	fd, _, e := syscall.Syscall(syscall.SYS_IOCTL, namespace.Fd(), getUserNS, 0)
	if e != 0 {
		return "= -1 " + errnoName(e), nil
	}
	owner := os.NewFile(fd, "owner")
	defer owner.Close()
	inode, err := inodeOf(owner)
	return fmt.Sprintf("= user:[%d]", inode), err
}

func inodeOf(f *os.File) (uint64, error) {
	var st syscall.Stat_t
	err := syscall.Fstat(int(f.Fd()), &st)
	return st.Ino, err
}
