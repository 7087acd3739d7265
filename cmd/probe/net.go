package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What one end of a connection asks of the other: first bytes to and fro, then
// many in one go, of which the arrival of the last is confirmed.
const (
	pings     = 100
	bulk      = 16 << 20
	bulkPiece = 64 << 10
	netWait   = 20 // seconds that an end waits for the other
)

// listen serves one connection of `probe ask` at a TCP port, 0 for any, and says
// at which.
func listen(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	port, err := strconv.Atoi(args[0])
	if err != nil {
		return errUsage
	}
	fd, err := tcp()
	if err != nil {
		return err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: port}); err != nil {
		return refusal("bind", err)
	}
	if err := syscall.Listen(fd, 1); err != nil {
		return refusal("listen", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return refusal("getsockname", err)
	}
	if at, ok := name.(*syscall.SockaddrInet4); ok {
		fmt.Println("port", at.Port)
	}
	peer, err := again(func(fd int, _ []byte) (int, error) {
		peer, _, err := syscall.Accept4(fd, syscall.SOCK_CLOEXEC)
		return peer, err
	})(fd, nil)
	if err != nil {
		return refusal("accept4", err)
	}
	if err := tune(peer); err != nil {
		return err
	}
	b := make([]byte, bulkPiece)
	for range pings {
		if err := both(peer, b[:1], syscall.Read, syscall.Write); err != nil {
			return err
		}
	}
	for got := 0; got < bulk; {
		n, err := again(syscall.Read)(peer, b)
		if err != nil || n == 0 {
			return refusal("read", orGone(err))
		}
		got += n
	}
	_, err = syscall.Write(peer, b[:1])
	return err
}

// ask connects to a `probe listen` at ADDRESS:PORT and prints nanoseconds a round
// trip of one byte and bytes a second of many. The address "gateway" stands for
// that of the default route.
func ask(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	host, port, _ := strings.Cut(args[0], ":")
	number, err := strconv.Atoi(port)
	if err != nil {
		return errUsage
	}
	to := syscall.SockaddrInet4{Port: number}
	address, err := netip.ParseAddr(host)
	if host == "gateway" {
		address, err = gateway()
	}
	if err != nil {
		return err
	}
	to.Addr = address.As4()
	fd, err := tcp()
	if err != nil {
		return err
	}
	if err := syscall.Connect(fd, &to); err != nil {
		return refusal("connect "+args[0], err)
	}
	b := make([]byte, bulkPiece)
	trip, err := each(pings, func() error { return both(fd, b[:1], syscall.Write, syscall.Read) })
	if err != nil {
		return err
	}
	begin := time.Now()
	for sent := 0; sent < bulk; {
		n, err := again(syscall.Write)(fd, b)
		if err != nil {
			return refusal("write", err)
		}
		sent += n
	}
	if n, err := again(syscall.Read)(fd, b[:1]); n != 1 {
		return refusal("read", orGone(err))
	}
	fmt.Printf("trip %.1f\nthroughput %.1f\n", trip, bulk/time.Since(begin).Seconds())
	return nil
}

// both does two things with one byte.
func both(fd int, b []byte, first, second func(int, []byte) (int, error)) error {
	for _, f := range []func(int, []byte) (int, error){first, second} {
		if n, err := again(f)(fd, b); n != 1 {
			return refusal("pass a byte on", orGone(err))
		}
	}
	return nil
}

// again repeats a call that a signal has interrupted: the runtime sends its threads
// signals, and a call with a time limit is not taken up again (signal(7)).
func again(f func(int, []byte) (int, error)) func(int, []byte) (int, error) {
	return func(fd int, b []byte) (n int, err error) {
		for n, err = f(fd, b); err == syscall.EINTR; n, err = f(fd, b) {
		}
		return n, err
	}
}

// orGone is the error of a read that gave nothing.
func orGone(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// tcp makes a socket that waits for nothing for ever.
func tcp() (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, refusal("socket", err)
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, refusal("setsockopt", err)
	}
	return fd, tune(fd)
}

// tune has bytes sent at once (tcp(7), TCP_NODELAY) and waits bounded.
func tune(fd int) error {
	limit := syscall.Timeval{Sec: netWait}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit); err != nil {
		return refusal("setsockopt", err)
	}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit); err != nil {
		return refusal("setsockopt", err)
	}
	return syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
}

// gateway reads where the default route leads: proc_net(5), route, in which
// addresses are hexadecimal and little-endian on the architectures of the lab.
func gateway() (netip.Addr, error) {
	table, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return netip.Addr{}, refusal("open /proc/net/route", err)
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 3 || f[1] != "00000000" {
			continue
		}
		if b, err := hex.DecodeString(f[2]); err == nil && len(b) == 4 {
			return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("find the default route: there is none")
}
