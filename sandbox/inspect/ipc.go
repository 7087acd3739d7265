package inspect

import (
	"path/filepath"
	"strconv"
	"strings"
)

// sysvTable says how one file of /proc/sysvipc (sysvipc(7)) becomes objects.
type sysvTable struct {
	kind     Kind
	file     string
	id       string   // the column that identifies
	lasting  []string // columns that change only by a call of the lab
	volatile []string // columns that change by use
}

var sysvTables = []sysvTable{
	{Shm, "shm", "shmid", []string{"size", "perms", "uid", "gid", "cpid"}, []string{"nattch"}},
	{Sem, "sem", "semid", []string{"nsems", "perms", "uid", "gid"}, nil},
	{Msg, "msg", "msqid", []string{"perms", "uid", "gid"}, []string{"qnum", "cbytes"}},
}

// sysvIPC adds the System V objects of the IPC namespace the calling thread is
// in, which is p's (the files show that of whoever opens them), and p's POSIX
// message queues.
func (s *survey) sysvIPC(p place) {
	for _, t := range sysvTables {
		text, err := readText("/proc/sysvipc/" + t.file)
		if err != nil {
			s.gap("read System V table", err)
			continue
		}
		for _, row := range columns(text) {
			s.add(t.object(row, p))
		}
	}
	s.mqueues(p)
}

func (t sysvTable) object(row map[string]string, p place) Object {
	d := Detail{}.with("key", ipcKey(row["key"]))
	for _, c := range t.lasting {
		d = d.with(c, row[c])
	}
	for _, c := range t.volatile {
		d = d.withVolatile(c, row[c])
	}
	return Object{
		Kind:   t.kind,
		ID:     t.id + " " + row[t.id] + "@" + p.ns[IPC],
		Where:  "/proc/sysvipc/" + t.file + " in " + p.proc + "/ns/ipc",
		Detail: d,
	}
}

// columns reads a table whose first line names the columns.
func columns(text string) []map[string]string {
	var heads []string
	var rows []map[string]string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if heads == nil {
			heads = f
			continue
		}
		row := map[string]string{}
		for i, value := range f {
			if i < len(heads) {
				row[heads[i]] = value
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// ipcKey writes a key as ipcs(1) does; 0 is IPC_PRIVATE, which no other process
// can ask for.
func ipcKey(decimal string) string {
	n, err := strconv.ParseInt(decimal, 10, 64)
	if err != nil {
		return decimal
	}
	if n == 0 {
		return "IPC_PRIVATE"
	}
	return "0x" + strconv.FormatUint(uint64(uint32(n)), 16)
}

// mqueues adds the POSIX message queues that p's mqueue mount shows
// (mq_overview(7)). The mount belongs to the IPC namespace of whoever made it:
// one inherited from the reader's mount table still shows the reader's queues.
func (s *survey) mqueues(p place) {
	m, mounted := mqueueMount(s.readMounts(p))
	if !mounted {
		return
	}
	ns := p.ns[IPC]
	if ours, ok := mqueueMount(s.readMounts(s.self)); ok && ours.device == m.device {
		ns = s.self.ns[IPC]
	}
	dir := filepath.Join(p.proc, "root", m.target)
	for _, entry := range s.children(dir) {
		d := Detail{}
		if info, err := entry.Info(); err == nil {
			d = d.with("mode", info.Mode().Perm().String())
		}
		if text, err := readText(filepath.Join(dir, entry.Name())); err == nil {
			for _, field := range strings.Fields(text) {
				key, value, _ := strings.Cut(field, ":")
				d = d.withVolatile(strings.ToLower(key), value)
			}
		}
		s.add(Object{Kind: Mqueue, ID: "/" + entry.Name() + "@" + ns, Where: filepath.Join(dir, entry.Name()), Detail: d})
	}
}

func mqueueMount(table []mountEntry) (mountEntry, bool) {
	for _, m := range table {
		if m.fstype == "mqueue" {
			return m, true
		}
	}
	return mountEntry{}, false
}
