//go:build !init

package op

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
)

// The kernel knows a rule as a list of expressions, each a small instruction
// on registers; people write it in the language of nft(8). Every function here
// gives one part of a rule in both forms, side by side.

// nftRule is a rule: conditions that must all hold, and what then happens.
type nftRule []nftPart

// nftPart is a condition or a statement in both forms.
type nftPart struct {
	text  string
	exprs []expr.Any
}

// String gives the rule in nft syntax.
func (r nftRule) String() string {
	texts := make([]string, len(r))
	for i, p := range r {
		texts[i] = p.text
	}
	return strings.Join(texts, " ")
}

func (r nftRule) exprs() []expr.Any {
	var all []expr.Any
	for _, p := range r {
		all = append(all, p.exprs...)
	}
	return all
}

// Registers of nf_tables, of 16 bytes each: linux/netfilter/nf_tables.h.
const reg1, reg2 = 1, 2

func equal(data []byte) *expr.Cmp { return &expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: data} }

// Where the IPv4 header has the two addresses: RFC 791.
const sourceOffset, destinationOffset = 12, 16

func nftSource(p netip.Prefix) nftPart      { return nftAddress("saddr", sourceOffset, p) }
func nftDestination(p netip.Prefix) nftPart { return nftAddress("daddr", destinationOffset, p) }

func nftAddress(field string, offset uint32, p netip.Prefix) nftPart {
	load := &expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4}
	if p.IsSingleIP() {
		return nftPart{"ip " + field + " " + p.Addr().String(), []expr.Any{load, equal(p.Addr().AsSlice())}}
	}
	mask := &expr.Bitwise{SourceRegister: reg1, DestRegister: reg1, Len: 4,
		Mask: net.CIDRMask(p.Bits(), 32), Xor: make([]byte, 4)}
	return nftPart{"ip " + field + " " + p.String(), []expr.Any{load, mask, equal(p.Addr().AsSlice())}}
}

// nftLocal holds for packets to an address of the host's own (RTN_LOCAL).
func nftLocal() nftPart {
	return nftPart{"fib daddr type local", []expr.Any{
		&expr.Fib{Register: reg1, FlagDADDR: true, ResultADDRTYPE: true},
		equal(binaryutil.NativeEndian.PutUint32(2)),
	}}
}

// nftOutput compares the name of the link that a packet leaves by; operator is
// == or !=.
func nftOutput(operator, link string) nftPart {
	name := make([]byte, 16) // IFNAMSIZ
	copy(name, link)
	text, cmp := "oifname ", equal(name)
	if operator == "!=" {
		text, cmp.Op = "oifname != ", expr.CmpOpNeq
	}
	return nftPart{text + `"` + link + `"`, []expr.Any{&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: reg1}, cmp}}
}

// nftTranslated holds for connections whose destination was translated:
// IPS_DST_NAT, linux/netfilter/nf_conntrack_common.h.
func nftTranslated() nftPart {
	return nftPart{"ct status dnat", []expr.Any{
		&expr.Ct{Register: reg1, Key: expr.CtKeySTATUS},
		&expr.Bitwise{SourceRegister: reg1, DestRegister: reg1, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(1 << 5), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg1, Data: make([]byte, 4)},
	}}
}

// nftPort holds for packets to a port of a transport protocol, by the numbers
// of RFC 1700.
func nftPort(protocol string, port int) (nftPart, error) {
	number := map[string]byte{"tcp": 6, "udp": 17}[protocol]
	if number == 0 {
		return nftPart{}, fmt.Errorf("protocol %q is neither tcp nor udp", protocol)
	}
	return nftPart{fmt.Sprintf("%s dport %d", protocol, port), []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg1},
		equal([]byte{number}),
		&expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		equal(portBytes(port)),
	}}, nil
}

// nftDNAT sends the connection to another address and port.
func nftDNAT(to netip.Addr, port int) nftPart {
	return nftPart{fmt.Sprintf("dnat to %s:%d", to, port), []expr.Any{
		&expr.Immediate{Register: reg1, Data: to.AsSlice()},
		&expr.Immediate{Register: reg2, Data: portBytes(port)},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(nftables.TableFamilyIPv4), RegAddrMin: reg1, RegProtoMin: reg2},
	}}
}

// nftMasquerade gives packets the address of the link they leave by.
func nftMasquerade() nftPart { return nftPart{"masquerade", []expr.Any{&expr.Masq{}}} }

// nftCounter counts the packets that come so far.
func nftCounter() nftPart { return nftPart{"counter", []expr.Any{&expr.Counter{}}} }

// portBytes writes a port as packets have it: big-endian.
func portBytes(port int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(port)) }
