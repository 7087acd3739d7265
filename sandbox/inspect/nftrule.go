package inspect

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/nftables/expr"
)

// ruleText puts a rule into words close to nft(8)'s. A rule is a program for a
// small machine: an expression loads part of a packet into a register, the
// next compares the register, the last acts. What is not known here is shown
// by its type in brackets, so that a rule is never mistaken for a shorter one.
func ruleText(program []expr.Any) string {
	r := ruleReader{loaded: map[uint32]operand{}, constant: map[uint32][]byte{}}
	for _, e := range program {
		r.read(e)
	}
	return strings.Join(r.words, " ")
}

// operand is what a register holds: a name for it, and how its values are
// written.
type operand struct {
	name string
	show func(value []byte) string
	mask []byte // applied since it was loaded
}

type ruleReader struct {
	loaded   map[uint32]operand
	constant map[uint32][]byte
	words    []string
}

func (r *ruleReader) say(format string, args ...any) {
	r.words = append(r.words, fmt.Sprintf(format, args...))
}

func (r *ruleReader) read(e expr.Any) {
	switch e := e.(type) {
	case *expr.Meta:
		if e.SourceRegister {
			r.say("meta set %s", metaOperand(e.Key).name)
			return
		}
		r.loaded[e.Register] = metaOperand(e.Key)
	case *expr.Payload:
		r.loaded[e.DestRegister] = payloadOperand(e)
	case *expr.Ct:
		r.loaded[e.Register] = ctOperand(e.Key)
	case *expr.Fib:
		r.loaded[e.Register] = fibOperand(e)
	case *expr.Bitwise:
		o := r.loaded[e.SourceRegister]
		o.mask = e.Mask
		r.loaded[e.DestRegister] = o
	case *expr.Cmp:
		r.say("%s", compareText(r.loaded[e.Register], e))
	case *expr.Lookup:
		not := map[bool]string{true: "!= "}[e.Invert]
		r.say("%s %s@%s", r.loaded[e.SourceRegister].name, not, e.SetName)
	case *expr.Immediate:
		r.constant[e.Register] = e.Data
	case *expr.NAT:
		verb := map[expr.NATType]string{expr.NATTypeDestNAT: "dnat", expr.NATTypeSourceNAT: "snat"}[e.Type]
		r.say("%s to %s", verb, r.endpoint(e.RegAddrMin, e.RegProtoMin))
	case *expr.Redir:
		r.say("redirect to %s", r.endpoint(0, e.RegisterProtoMin))
	case *expr.Masq:
		r.say("masquerade")
	case *expr.Verdict:
		r.say("%s", verdictText(e))
	case *expr.Counter:
		r.say("counter") // its counts move with every packet
	default:
		r.say("[%s]", strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", e), "*expr.")))
	}
}

// endpoint writes the address and port that were put into two registers.
func (r *ruleReader) endpoint(addr, port uint32) string {
	text := ""
	if a, ok := netip.AddrFromSlice(r.constant[addr]); ok {
		text = a.String()
	}
	if p := r.constant[port]; len(p) >= 2 {
		text += ":" + strconv.Itoa(int(binary.BigEndian.Uint16(p)))
	}
	return text
}

// compareText writes "name value", "name != value". A masked address is a
// prefix; a masked set of bits compared with zero asks for any of them.
func compareText(o operand, c *expr.Cmp) string {
	if o.name == "" {
		return "[cmp]"
	}
	op := map[expr.CmpOp]string{
		expr.CmpOpNeq: "!= ", expr.CmpOpLt: "< ", expr.CmpOpLte: "<= ", expr.CmpOpGt: "> ", expr.CmpOpGte: ">= ",
	}[c.Op]
	zero := len(bytes.Trim(c.Data, "\x00")) == 0
	switch {
	case o.mask != nil && zero && strings.HasPrefix(o.name, "ct "):
		if c.Op == expr.CmpOpNeq {
			op = "" // some bit of the mask is set
		} else {
			op = "! " // none is
		}
		return o.name + " " + op + o.show(o.mask)
	case o.mask != nil:
		ones := 0
		for _, b := range o.mask {
			ones += bits.OnesCount8(b)
		}
		return fmt.Sprintf("%s %s%s/%d", o.name, op, o.show(c.Data), ones)
	}
	return o.name + " " + op + o.show(c.Data)
}

func verdictText(v *expr.Verdict) string {
	name, known := map[expr.VerdictKind]string{
		expr.VerdictAccept: "accept", expr.VerdictDrop: "drop", expr.VerdictReturn: "return",
		expr.VerdictJump: "jump", expr.VerdictGoto: "goto", expr.VerdictContinue: "continue",
		expr.VerdictQueue: "queue",
	}[v.Kind]
	if !known {
		name = fmt.Sprintf("[verdict %d]", v.Kind)
	}
	return strings.TrimSpace(name + " " + v.Chain)
}

func metaOperand(key expr.MetaKey) operand {
	switch key {
	case expr.MetaKeyIIFNAME:
		return operand{name: "iifname", show: showName}
	case expr.MetaKeyOIFNAME:
		return operand{name: "oifname", show: showName}
	case expr.MetaKeyIIF:
		return operand{name: "iif index", show: showHost}
	case expr.MetaKeyOIF:
		return operand{name: "oif index", show: showHost}
	case expr.MetaKeyL4PROTO:
		return operand{name: "l4proto", show: showProtocol}
	case expr.MetaKeyNFPROTO:
		return operand{name: "nfproto", show: showFamily}
	case expr.MetaKeyMARK:
		return operand{name: "mark", show: showHost}
	}
	return operand{name: fmt.Sprintf("meta %d", key), show: showHex}
}

// payloadOperand names the header fields a lab like this one compares
// (RFC 791, 8200, 9293: offsets and lengths in bytes). The first bytes of an
// address are how nft writes a prefix of 8, 16 or 24 bits.
func payloadOperand(p *expr.Payload) operand {
	type field struct {
		base        expr.PayloadBase
		offset, len uint32
	}
	switch at := (field{p.Base, p.Offset, p.Len}); {
	case at.base == expr.PayloadBaseNetworkHeader && at.offset == 12 && at.len <= 4:
		return operand{name: "ip saddr", show: showAddr}
	case at.base == expr.PayloadBaseNetworkHeader && at.offset == 16 && at.len <= 4:
		return operand{name: "ip daddr", show: showAddr}
	case at == field{expr.PayloadBaseNetworkHeader, 9, 1}:
		return operand{name: "ip protocol", show: showProtocol}
	case at == field{expr.PayloadBaseNetworkHeader, 8, 16}:
		return operand{name: "ip6 saddr", show: showAddr}
	case at == field{expr.PayloadBaseNetworkHeader, 24, 16}:
		return operand{name: "ip6 daddr", show: showAddr}
	case at == field{expr.PayloadBaseTransportHeader, 0, 2}:
		return operand{name: "sport", show: showPort}
	case at == field{expr.PayloadBaseTransportHeader, 2, 2}:
		return operand{name: "dport", show: showPort}
	}
	return operand{name: fmt.Sprintf("payload %d+%d+%d", p.Base, p.Offset, p.Len), show: showHex}
}

func ctOperand(key expr.CtKey) operand {
	switch key {
	case expr.CtKeySTATE:
		return operand{name: "ct state", show: showBits(map[uint32]string{
			expr.CtStateBitINVALID: "invalid", expr.CtStateBitESTABLISHED: "established",
			expr.CtStateBitRELATED: "related", expr.CtStateBitNEW: "new", expr.CtStateBitUNTRACKED: "untracked",
		})}
	case expr.CtKeySTATUS:
		// IPS_SRC_NAT and IPS_DST_NAT, linux/netfilter/nf_conntrack_common.h
		return operand{name: "ct status", show: showBits(map[uint32]string{1 << 4: "snat", 1 << 5: "dnat"})}
	}
	return operand{name: fmt.Sprintf("ct %d", key), show: showHex}
}

func fibOperand(f *expr.Fib) operand {
	name := "fib"
	if f.FlagSADDR {
		name += " saddr"
	}
	if f.FlagDADDR {
		name += " daddr"
	}
	if f.ResultADDRTYPE {
		return operand{name: name + " type", show: showRouteType}
	}
	return operand{name: name, show: showHex}
}

func showName(b []byte) string {
	return strconv.Quote(strings.TrimRight(string(b), "\x00"))
}

func showHost(b []byte) string {
	if len(b) != 4 {
		return showHex(b)
	}
	return strconv.FormatUint(uint64(binary.NativeEndian.Uint32(b)), 10)
}

func showHex(b []byte) string { return fmt.Sprintf("0x%x", b) }

func showPort(b []byte) string {
	if len(b) != 2 {
		return showHex(b)
	}
	return strconv.Itoa(int(binary.BigEndian.Uint16(b)))
}

func showAddr(b []byte) string {
	if len(b) < 4 {
		full := append(bytes.Clone(b), make([]byte, 4-len(b))...)
		return fmt.Sprintf("%s/%d", showAddr(full), 8*len(b))
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return showHex(b)
	}
	return a.String()
}

func showProtocol(b []byte) string {
	if len(b) == 1 {
		if name, ok := map[byte]string{1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}[b[0]]; ok {
			return name
		}
		return strconv.Itoa(int(b[0]))
	}
	return showHex(b)
}

func showFamily(b []byte) string {
	if len(b) == 1 {
		if name, ok := map[byte]string{2: "ipv4", 10: "ipv6"}[b[0]]; ok {
			return name
		}
	}
	return showHex(b)
}

// showRouteType: RTN_LOCAL and so on, rtnetlink(7).
func showRouteType(b []byte) string {
	if len(b) == 4 {
		n := binary.NativeEndian.Uint32(b)
		if name, ok := map[uint32]string{1: "unicast", 2: "local", 3: "broadcast", 5: "multicast"}[n]; ok {
			return name
		}
	}
	return showHex(b)
}

// showBits names the bits of a host-order word, lowest first.
func showBits(names map[uint32]string) func([]byte) string {
	return func(b []byte) string {
		if len(b) != 4 {
			return showHex(b)
		}
		var out []string
		word := binary.NativeEndian.Uint32(b)
		for bit := uint32(1); bit != 0; bit <<= 1 {
			if word&bit == 0 {
				continue
			}
			if name, ok := names[bit]; ok {
				out = append(out, name)
			} else {
				out = append(out, fmt.Sprintf("bit %d", bits.TrailingZeros32(bit)))
			}
		}
		return strings.Join(out, ",")
	}
}
