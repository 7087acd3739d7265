package stages

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox"
)

// The rules by which a call that was made counts as one that has to be printed:
// it changes something that others can see. No rule names a place in the code;
// each looks at the call and at what its thread does.

// rules hold what the rules need to know of a run.
type rules struct {
	recording
	dirs    sandbox.Dirs
	changed []bool      // for each call whether it changes something
	last    map[int]int // thread -> index of its last call that does, setns apart
	// begin is the call by which init became the payload; from then on its process
	// and what that begets, payload, are no part of the construction.
	begin   int
	payload map[int]bool
}

func newRules(r recording, dirs sandbox.Dirs) rules {
	u := rules{recording: r, dirs: dirs, changed: make([]bool, len(r.calls)), last: map[int]int{}, begin: len(r.calls), payload: map[int]bool{}}
	for i, c := range r.calls {
		if u.changed[i] = u.changes(c); u.changed[i] {
			u.last[c.tid] = i
		}
	}
	for i, c := range r.calls {
		// A thread that joins a namespace, changes nothing and ends has looked.
		_, ended := r.ended[c.tid]
		u.changed[i] = u.changed[i] || c.name == "setns" && (!ended || u.last[c.tid] > i)
	}
	for k, e := range r.events {
		for i := r.marks[max(k-1, 0)]; e.Op == "execve" && i < min(u.begin, r.marks[k]); i++ {
			if c := r.calls[i]; c.pid == e.PID && c.name == "execve" && c.ret == "0" {
				u.begin, u.payload[c.pid] = i, true
			}
		}
	}
	for _, c := range r.calls[u.begin:] {
		if child, err := strconv.Atoi(c.ret); err == nil && u.payload[c.pid] && begets[c.name] {
			u.payload[child] = true
		}
	}
	return u
}

// changes reports whether a call changes something; for setns that depends on
// what follows.
func (r rules) changes(c traced) bool {
	switch c.name {
	case "clone", "clone3":
		return !strings.Contains(strings.Join(c.args, " "), "CLONE_THREAD") // a thread is the process's own affair
	case "openat", "openat2":
		return strings.Contains(c.args[2], "O_CREAT") && !r.note(c)
	case "write", "pwrite64", "writev", "ftruncate", "sendfile", "copy_file_range":
		return strings.HasPrefix(c.path(), "/") && !r.note(c) // pipes, sockets and the like are talk
	case "ioctl":
		return !reads.MatchString(c.args[1])
	case "sendto", "sendmsg":
		return slices.ContainsFunc(c.messages(), func(kind string) bool { return !strings.Contains(kind, "_GET") })
	case "prlimit64":
		return c.args[2] != "NULL"
	case "prctl":
		return !labels[c.args[0]] && !strings.HasPrefix(c.args[0], "PR_GET_")
	case "setns":
		return false
	}
	return !r.note(c)
}

// reads are requests of ioctl that say so; TIOCGPTPEER opens a file.
var reads = regexp.MustCompile(`^(NS_GET_|TCGETS|TIOCGWINSZ|TIOCGPTN|FIONREAD|SIOCG)`)

// labels are options of prctl that name something for the reader of /proc.
var labels = map[string]bool{"PR_SET_NAME": true, "PR_SET_VMA": true}

// note reports whether what a call changes is a file that the lab keeps for
// itself: its journals and locks, and all that it keeps from run to run; not the
// files of a container. A file in memory is nobody else's either.
func (r rules) note(c traced) bool {
	in := func(dir string) bool { return strings.HasPrefix(c.path(), dir) }
	return in(r.dirs.Run) || in("/memfd:") || in(r.dirs.Data) && !in(filepath.Join(r.dirs.Data, "containers"))
}

// path is what a call works on: its last path, as the others (of a link, of a
// name before) are not what changes. One relative to a directory has the
// descriptor before it.
func (c traced) path() string {
	path, dir := "", ""
	for _, arg := range c.args {
		if _, of, ok := strings.Cut(arg, "<"); ok && arg[0] != '"' {
			dir, _, _ = strings.Cut(of, ">")
			path = dir
		} else if name, ok := unquote(arg); ok {
			if path = name; !strings.HasPrefix(name, "/") {
				path = filepath.Join(dir, name)
			}
		}
	}
	return path
}

// fileCalls are those that make and change ordinary files.
var fileCalls = []string{"openat", "write", "mkdirat", "mknodat", "symlinkat", "linkat", "renameat", "unlinkat", "copy_file_range", "sendfile",
	"ftruncate", "fchmod", "fchmodat", "fchown", "fchownat", "lchown", "utimensat", "fsetxattr", "lsetxattr", "setxattr"}

// told as a whole: their steps copy or unpack a tree of files, and say so
// instead of printing thousands of calls.
var toldAsWhole = []string{"copy", "pull", "unpack"}

// excused reports whether call i, which no step has printed, need not be.
func (r rules) excused(i int, op string) bool {
	c := r.calls[i]
	ordinary := !strings.HasPrefix(c.path(), "/proc/") && !strings.HasPrefix(c.path(), "/sys/")
	if slices.Contains(toldAsWhole, op) && ordinary && slices.Contains(fileCalls, c.name) {
		return true
	}
	// The Go runtime raises the soft limit of open files of its own process to one
	// below the hard one, and puts it back in each that it executes.
	cur, hard := r.openFiles()
	return c.name == "prlimit64" && c.args[1] == "RLIMIT_NOFILE" && c.number(2, "rlim_max") == hard &&
		slices.Contains([]int64{cur, hard - 1}, c.number(2, "rlim_cur"))
}

// openFiles is the limit of open files with which cutaway was started: its
// runtime asks.
func (r rules) openFiles() (cur, hard int64) {
	for _, c := range r.calls {
		if c.name == "prlimit64" && c.args[2] == "NULL" {
			return c.number(3, "rlim_cur"), c.number(3, "rlim_max")
		}
	}
	return 0, 0
}

// number gives a field of the struct in argument n, -1 if it is no number: strace
// writes multiples of 1024 as 4*1024.
func (c traced) number(n int, field string) int64 {
	product := int64(1)
	for _, factor := range strings.Split(fieldsOf(c.args[n])[field], "*") {
		f, err := strconv.ParseInt(factor, 10, 64)
		if err != nil {
			return -1
		}
		product *= f
	}
	return product
}

// fieldsOf reads {name=value, ...}.
func fieldsOf(text string) map[string]string {
	fields := map[string]string{}
	for _, f := range splitArgs(strings.Trim(text, "{}")) {
		name, value, _ := strings.Cut(f, "=")
		fields[name] = value
	}
	return fields
}

// messages lists the types of the netlink messages that a call sends, nil if it
// sends to no netlink socket. strace gives them as numbers where it cannot tell
// the socket's family, for one: in another network namespace than its own.
func (c traced) messages() []string {
	text := strings.Join(c.args, ", ")
	if !strings.Contains(text, "sa_family=AF_NETLINK") {
		return nil
	}
	var kinds []string
	var numbers []int64
	for _, m := range messageType.FindAllStringSubmatch(text, -1) {
		kinds = append(kinds, strings.TrimPrefix(m[1], "NFNL_SUBSYS_NFTABLES<<8|"))
		n, _ := strconv.ParseInt(m[1], 0, 32) // 0 for a name
		numbers = append(numbers, n)
	}
	netfilter := slices.ContainsFunc(numbers, func(n int64) bool { return n>>8 == nfTables })
	for i, n := range numbers {
		switch {
		case n < 16:
		case netfilter:
			kinds[i] = netfilterMessage(n)
		default:
			kinds[i] = routeMessage(n)
		}
	}
	return kinds
}

var messageType = regexp.MustCompile(`nlmsg_type=([\w<|]+)`)

// nfTables is NFNL_SUBSYS_NFTABLES, the high byte of the types of nf_tables.
const nfTables = 10

// netfilterMessage names a type by linux/netfilter/nfnetlink.h and nf_tables.h,
// which has them in groups of three.
func netfilterMessage(n int64) string {
	objects := []string{"TABLE", "CHAIN", "RULE", "SET", "SETELEM"}
	verbs := []string{"NEW", "GET", "DEL"}
	switch n {
	case 16:
		return "NFNL_MSG_BATCH_BEGIN"
	case 17:
		return "NFNL_MSG_BATCH_END"
	}
	if n &= 0xff; int(n) < len(objects)*len(verbs) {
		return "NFT_MSG_" + verbs[n%3] + objects[n/3]
	}
	return fmt.Sprintf("NFT_MSG_%d", n)
}

// routeMessage names a type by linux/rtnetlink.h, which has them in groups of
// four.
func routeMessage(n int64) string {
	objects := []string{"LINK", "ADDR", "ROUTE", "NEIGH", "RULE", "QDISC", "TCLASS", "TFILTER", "ACTION", "PREFIX"}
	verb, object := []string{"NEW", "DEL", "GET", "SET"}[n%4], fmt.Sprint((n-16)/4)
	if i := int(n-16) / 4; i < len(objects) {
		object = objects[i]
	}
	return "RTM_" + verb + object
}
