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
	live := []Record{{Spec: plan.Spec{Net: plan.Net{Ports: []op.Port{{HostPort: busy + 1}}}}}}
	asked := []op.Port{{ContainerPort: busy, Protocol: "tcp"}, {ContainerPort: busy, Protocol: "tcp"}, {ContainerPort: 80, HostPort: 81, Protocol: "udp"}}
	got, err := freePorts(asked, live)
	require.NoError(t, err)
	require.Greater(t, got[0].HostPort, busy+1, "the socket's and the container's port are passed over")
	require.Greater(t, got[1].HostPort, got[0].HostPort)
	require.Equal(t, 81, got[2].HostPort, "a port that was asked for stays")
	require.Zero(t, asked[0].HostPort, "the caller's list is its own")
}
