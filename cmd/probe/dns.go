package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// Sizes and codes of RFC 1035, section 4.
const (
	dnsHeader  = 12
	dnsAddress = 1 // type A
	noSuchName = 3
)

// dns is a name server that knows one name: it answers on UDP port 53 until it
// is killed.
func dns(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	address, err := netip.ParseAddr(args[1])
	if err != nil || !address.Is4() {
		return errUsage
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: 53})
	}
	if err != nil {
		return refusal("bind port 53", err)
	}
	fmt.Println("serving", args[0])
	packet := make([]byte, 512)
	for {
		n, from, err := syscall.Recvfrom(fd, packet, 0)
		if err != nil {
			return refusal("recvfrom", err)
		}
		if answer := answerDNS(packet[:n], args[0], address); answer != nil {
			// Who asked may be gone; the next one counts.
			_ = syscall.Sendto(fd, answer, 0, from)
		}
	}
}

// answerDNS answers a query with one question; nil for what is none.
func answerDNS(query []byte, known string, address netip.Addr) []byte {
	name, end := questionOf(query)
	if end < 0 {
		return nil
	}
	kind := binary.BigEndian.Uint16(query[end:])
	end += 4                                                  // type and class
	answer := append([]byte(nil), query[:end]...)             // header and question again
	answer[2], answer[3] = 0x84|query[2]&1, 0                 // an answer with authority
	copy(answer[4:dnsHeader], []byte{0, 1, 0, 0, 0, 0, 0, 0}) // one question and, so far, nothing else
	switch {
	case !strings.EqualFold(name, strings.TrimSuffix(known, ".")):
		answer[3] = noSuchName
	case kind == dnsAddress:
		answer[7] = 1
		answer = append(answer, 0xc0, dnsHeader, 0, dnsAddress, 0, 1, 0, 0, 0, 60, 0, 4) // the name above, 60 s
		answer = append(answer, address.AsSlice()...)
	}
	return answer
}

// questionOf reads the name that is asked for and says where its type follows.
func questionOf(query []byte) (name string, end int) {
	if len(query) < dnsHeader || binary.BigEndian.Uint16(query[4:]) != 1 {
		return "", -1
	}
	var labels []string
	at := dnsHeader
	for at < len(query) && query[at] != 0 {
		next := at + 1 + int(query[at])
		if query[at] > 63 || next >= len(query) {
			return "", -1
		}
		labels = append(labels, string(query[at+1:next]))
		at = next
	}
	if at+5 > len(query) {
		return "", -1
	}
	return strings.Join(labels, "."), at + 1
}
