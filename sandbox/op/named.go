package op

import (
	"strings"

	"github.com/vishvananda/netlink"
)

// Named lists the links and nf_tables tables of this network namespace whose
// names begin with prefix: what a run that was killed may have left. A kernel
// that cannot be asked has none.
func Named(prefix string) (links, tables []string) {
	if all, err := netlink.LinkList(); err == nil {
		for _, l := range all {
			if strings.HasPrefix(l.Attrs().Name, prefix) {
				links = append(links, l.Attrs().Name)
			}
		}
	}
	conn, err := nftConn()
	if err != nil {
		return links, nil
	}
	if all, err := conn.ListTables(); err == nil {
		for _, t := range all {
			if strings.HasPrefix(t.Name, prefix) {
				tables = append(tables, t.Name)
			}
		}
	}
	return links, tables
}
