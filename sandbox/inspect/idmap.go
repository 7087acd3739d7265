package inspect

import (
	"errors"
	"syscall"
)

// idmap adds the mappings of the user namespace id, read through p, which is in
// it. Columns as the kernel has them (user_namespaces(7)): first id inside,
// first id outside (in the reader's user namespace), how many.
func (s *survey) idmap(p place, id string) {
	d := Detail{}
	for _, file := range []string{"uid_map", "gid_map"} {
		text, err := readText(p.proc + "/" + file)
		if err != nil {
			if !errors.Is(err, syscall.EINVAL) { // what open answers when the process has just gone
				s.gap("read mapping", err)
			}
			return
		}
		if text == "" {
			text = "not written yet" // until then every id shows as the overflow id, 65534
		}
		d = d.with(file, lines(text))
	}
	if text, err := readText(p.proc + "/setgroups"); err == nil {
		d = d.with("setgroups", text)
	}
	s.add(Object{Kind: IDMap, ID: id, Where: p.proc + "/uid_map", Detail: d})
}
