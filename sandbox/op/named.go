//go:build !init

package op

import (
	"strings"

	"github.com/vishvananda/netlink"
)

// Named lists the links, bridges apart, and the nf_tables tables of this network
// namespace whose names begin with prefix: what a run that was killed may have
// left. A kernel that cannot be asked has none.
func Named(prefix string) (links, bridges, tables []string) {
	if all, err := netlink.LinkList(); err == nil {
		for _, l := range all {
			name := l.Attrs().Name
			switch {
			case !strings.HasPrefix(name, prefix):
			case l.Type() == "bridge":
				bridges = append(bridges, name)
			default:
				links = append(links, name)
			}
		}
	}
	conn, err := nftConn()
	if err != nil {
		return links, bridges, nil
	}
	if all, err := conn.ListTables(); err == nil {
		for _, t := range all {
			if strings.HasPrefix(t.Name, prefix) {
				tables = append(tables, t.Name)
			}
		}
	}
	return links, bridges, tables
}
