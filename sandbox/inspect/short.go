package inspect

import "strings"

// phrase is one fact in an object's one-line form: text before the value of a
// fact, left out with it when the object has no such fact.
type phrase struct{ before, key string }

// phrases choose the facts of each kind that tell it from its neighbours.
var phrases = map[Kind][]phrase{
	User:     {{"parent ", "parent"}, {"owner uid ", "owner uid"}},
	Mnt:      {{"owner ", "owner"}},
	UTS:      {{"nodename ", "nodename"}, {"domainname ", "domainname"}},
	PID:      {{"parent ", "parent"}, {"for ", "for"}},
	IPC:      {{"owner ", "owner"}},
	Net:      {{"owner ", "owner"}},
	CgroupNS: {{"owner ", "owner"}},
	Time:     {{"monotonic ", "monotonic"}, {"boottime ", "boottime"}, {"for ", "for"}},
	Process:  {{"", "name"}, {"pids ", "pids"}, {"uid ", "uid"}, {"root ", "root"}},
	Caps:     {{"effective ", "effective"}},
	Seccomp:  {{"", "mode"}, {"filters ", "filters"}, {"no_new_privs ", "no_new_privs"}},
	Rlimits:  {{"open files ", "RLIMIT_NOFILE"}, {"processes ", "RLIMIT_NPROC"}},
	IDMap:    {{"uid ", "uid_map"}, {"gid ", "gid_map"}, {"setgroups ", "setgroups"}},
	Mount:    {{"", "target"}, {"", "type"}, {"from ", "source"}, {"", "options"}, {"", "propagation"}},
	Overlay:  {{"", "target"}, {"upper ", "upper"}, {"lower ", "lower 1"}},
	Device:   {{"", "type"}, {"", "number"}, {"-> ", "target"}, {"mode ", "mode"}},
	Cgroup: {
		{"memory.max ", "memory.max"}, {"pids.max ", "pids.max"}, {"cpu.max ", "cpu.max"},
		{"frozen ", "cgroup.freeze"}, {"processes ", "processes"},
	},
	Link:   {{"", "type"}, {"", "state"}, {"master ", "master"}, {"peer ", "peer"}},
	Addr:   {{"scope ", "scope"}},
	Route:  {{"via ", "via"}, {"", "type"}},
	Nft:    {{"chains ", "chains"}, {"rules ", "rules"}},
	Shm:    {{"key ", "key"}, {"size ", "size"}},
	Sem:    {{"key ", "key"}, {"nsems ", "nsems"}},
	Msg:    {{"key ", "key"}, {"qnum ", "qnum"}},
	Mqueue: {{"qsize ", "qsize"}},
	Sysctl: {{"= ", "value"}},
	Dir:    {{"", "type"}, {"mode ", "mode"}},
	Blob:   {{"", "media type"}, {"bytes ", "size"}},
}

// Short gives an object in one line: its identity and the facts that tell it
// from others of its kind, "uts:[4026532301]  nodename cutaway".
func (o Object) Short() string {
	words := []string{o.ID}
	for _, p := range phrases[o.Kind] {
		if value := o.Detail.Get(p.key); value != "" {
			words = append(words, p.before+value)
		}
	}
	return strings.Join(words, "  ")
}

// Telling are those facts by themselves.
func (o Object) Telling() Detail {
	var d Detail
	for _, p := range phrases[o.Kind] {
		if f, known := find(o.Detail, p.key); known {
			d = append(d, f)
		}
	}
	return d
}
