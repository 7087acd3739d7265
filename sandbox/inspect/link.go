package inspect

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

// network adds the links, addresses and routes of the network namespace the
// calling thread is in, which is p's. An ID ends in the namespace, because
// every namespace has its own "lo".
func (s *survey) network(p place) {
	ns := p.ns[Net]
	h, err := netlink.NewHandle(syscall.NETLINK_ROUTE)
	if err != nil {
		s.gap("open rtnetlink socket in "+ns, err)
		return
	}
	defer h.Close()
	if err := h.SetSocketTimeout(time.Second); err != nil {
		s.gap("limit waiting for rtnetlink", err)
		return
	}
	list, err := h.LinkList()
	s.gap("list links of "+ns, err)
	names := map[int]string{}
	for _, l := range list {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	peers := s.peerNamespaces(h, list)
	for _, l := range list {
		s.add(Object{
			Kind: Link, ID: l.Attrs().Name + "@" + ns,
			Where:  "RTM_GETLINK in " + s.nets[ns],
			Detail: linkDetail(l, names, peers),
		})
	}
	addrs, err := h.AddrList(nil, netlink.FAMILY_ALL)
	s.gap("list addresses of "+ns, err)
	for _, a := range addrs {
		s.addr(ns, a, names[a.LinkIndex])
	}
	routes, err := h.RouteList(nil, netlink.FAMILY_ALL) // of the main table
	s.gap("list routes of "+ns, err)
	for _, r := range routes {
		s.route(ns, r, names[r.LinkIndex])
	}
}

// linkDetail describes one network interface. Whether a carrier is there
// settles some time after the call that caused it, so operstate is Volatile.
func linkDetail(l netlink.Link, names map[int]string, peers map[int]string) Detail {
	a := l.Attrs()
	d := Detail{}.with("index", strconv.Itoa(a.Index)).with("type", l.Type())
	if a.EncapType == "loopback" {
		d = Detail{}.with("index", strconv.Itoa(a.Index)).with("type", "loopback")
	} else {
		d = d.with("mac", a.HardwareAddr.String())
	}
	state := "down"
	if a.Flags&net.FlagUp != 0 {
		state = "up"
	}
	d = d.with("state", state).with("mtu", strconv.Itoa(a.MTU))
	if a.MasterIndex != 0 {
		d = d.with("master", names[a.MasterIndex])
	}
	if l.Type() == "veth" && a.ParentIndex != 0 {
		d = d.with("peer", peerText(a, names, peers))
	}
	return d.withVolatile("operstate", a.OperState.String())
}

// peerText names the other end of a veth pair (veth(4)): by name when it is in
// the same namespace, else by its index and where that index counts.
func peerText(a *netlink.LinkAttrs, names map[int]string, peers map[int]string) string {
	if a.NetNsID < 0 {
		return fmt.Sprintf("%s, index %d", names[a.ParentIndex], a.ParentIndex)
	}
	if ns := peers[a.NetNsID]; ns != "" {
		return fmt.Sprintf("index %d in %s", a.ParentIndex, ns)
	}
	return fmt.Sprintf("index %d in netnsid %d", a.ParentIndex, a.NetNsID)
}

// peerNamespaces resolves the small numbers by which a network namespace knows
// others (RTM_GETNSID, rtnetlink(7)) to those namespaces that are in scope. It
// asks only when a veth is there to need it.
func (s *survey) peerNamespaces(h *netlink.Handle, list []netlink.Link) map[int]string {
	needed := false
	for _, l := range list {
		needed = needed || l.Attrs().NetNsID >= 0
	}
	if !needed {
		return nil
	}
	peers := map[int]string{}
	for ns, file := range s.nets {
		f, err := os.Open(file)
		if err != nil {
			s.gap("open network namespace", err)
			continue
		}
		id, err := h.GetNetNsIdByFd(int(f.Fd()))
		f.Close()
		if err == nil && id >= 0 {
			peers[id] = ns
		}
	}
	return peers
}

// addr adds one address. IPv6 link-local ones are left out: the kernel adds and
// confirms them in its own time once a link has a carrier.
func (s *survey) addr(ns string, a netlink.Addr, link string) {
	if a.IPNet == nil || a.IP.To4() == nil && a.IP.IsLinkLocalUnicast() {
		return
	}
	d := Detail{}.with("link", link).with("scope", scopeName(netlink.Scope(a.Scope)))
	if a.Peer != nil && !a.Peer.IP.Equal(a.IP) {
		d = d.with("peer", a.Peer.String())
	}
	if a.Broadcast != nil {
		d = d.with("broadcast", a.Broadcast.String())
	}
	s.add(Object{
		Kind: Addr, ID: a.IPNet.String() + " " + link + "@" + ns,
		Where: "RTM_GETADDR in " + s.nets[ns], Detail: d,
	})
}

// route adds one route of the main table, but for IPv6 link-local and multicast
// ones, which come and go with the addresses addr leaves out.
func (s *survey) route(ns string, r netlink.Route, link string) {
	to := "default"
	if r.Dst != nil {
		if ones, _ := r.Dst.Mask.Size(); ones > 0 {
			to = r.Dst.String()
		} else if r.Dst.IP.To4() == nil {
			to = "default6"
		}
		if r.Dst.IP.To4() == nil && (r.Dst.IP.IsLinkLocalUnicast() || r.Dst.IP.IsMulticast()) {
			return
		}
	}
	d := Detail{}
	if r.Gw != nil {
		d = d.with("via", r.Gw.String())
	}
	for i, hop := range r.MultiPath {
		d = d.with("hop "+strconv.Itoa(i+1), hop.String())
	}
	d = d.with("dev", link).
		with("scope", scopeName(r.Scope)).
		with("protocol", r.Protocol.String()).
		with("type", routeTypes[r.Type])
	if r.Src != nil {
		d = d.with("source", r.Src.String())
	}
	id := to
	if link != "" {
		id += " dev " + link
	}
	if r.Priority != 0 {
		id += " metric " + strconv.Itoa(r.Priority)
	}
	s.add(Object{
		Kind: Route, ID: id + "@" + ns,
		Where: "RTM_GETROUTE in " + s.nets[ns], Detail: d,
	})
}

// scopeName names a scope as ip(8) does, which is not what rtnetlink(7) calls
// the widest one.
func scopeName(s netlink.Scope) string {
	if s == netlink.SCOPE_UNIVERSE {
		return "global"
	}
	return s.String()
}

// routeTypes names the types of route that do something else than deliver
// (rtnetlink(7)).
var routeTypes = map[int]string{
	syscall.RTN_BLACKHOLE:   "blackhole",
	syscall.RTN_UNREACHABLE: "unreachable",
	syscall.RTN_PROHIBIT:    "prohibit",
	syscall.RTN_THROW:       "throw",
	syscall.RTN_LOCAL:       "local",
}
