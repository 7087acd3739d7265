package sandbox

import (
	"net"
	"testing"

	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"

	"github.com/stretchr/testify/require"
)

// TestFreePorts gives a port that neither a socket nor another container has.
func TestFreePorts(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	defer l.Close()
	busy := l.Addr().(*net.TCPAddr).Port
	live := []Record{{Net: plan.Net{Ports: []op.Port{{HostPort: busy + 1, Protocol: "tcp"}}}}}
	asked := []op.Port{{ContainerPort: busy, Protocol: "tcp"}, {ContainerPort: busy, Protocol: "tcp"}, {ContainerPort: 80, HostPort: 81, Protocol: "udp"}}
	got, err := freePorts(asked, live)
	require.NoError(t, err)
	require.Greater(t, got[0].HostPort, busy+1, "the socket's and the container's port are passed over")
	require.Greater(t, got[1].HostPort, got[0].HostPort)
	require.Equal(t, 81, got[2].HostPort, "a port that was asked for stays")
	require.Zero(t, asked[0].HostPort, "the caller's list is its own")
}

// TestPortsThatAreTaken refuses a port that was asked for when a program of the
// host, another container or the same command line has it.
func TestPortsThatAreTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	busy := l.Addr().(*net.TCPAddr).Port
	theirs := op.Port{ContainerPort: 80, HostPort: 1, Protocol: "tcp"}
	live := []Record{{ID: "abc", Net: plan.Net{Ports: []op.Port{theirs}}}}
	one := op.Port{ContainerPort: 80, HostPort: 2, Protocol: "udp"}
	for want, ports := range map[string][]op.Port{
		"EADDRINUSE":        {{ContainerPort: 80, HostPort: busy, Protocol: "tcp"}},
		"EADDRNOTAVAIL":     {{ContainerPort: 80, HostPort: 2, Protocol: "tcp", HostIP: "192.0.2.1"}},
		"container abc":     {theirs},
		"asked for twice":   {one, one},
		"no port of the ho": {{ContainerPort: 65535, Protocol: "tcp"}, {ContainerPort: 65535, Protocol: "tcp"}},
	} {
		_, err := freePorts(ports, live)
		require.ErrorContains(t, err, want)
	}
}
