package sys

import "sort"

//go:generate go run gensyscalls.go .

// syscallName is a row of the generated table syscalls. The table is data that
// the linker lays out: a map would be filled every time a program starts.
type syscallName struct {
	name   string
	number uint16
}

// SyscallNumber gives the number of a system call on this architecture by its
// name; ok is false for one that the architecture or this program does not
// know.
func SyscallNumber(name string) (number int, ok bool) {
	i := sort.Search(len(syscalls), func(i int) bool { return syscalls[i].name >= name })
	if i == len(syscalls) || syscalls[i].name != name {
		return 0, false
	}
	return int(syscalls[i].number), true
}

// SyscallNames lists the system calls of this architecture by name.
func SyscallNames() []string {
	names := make([]string, len(syscalls))
	for i, s := range syscalls {
		names[i] = s.name
	}
	return names
}
