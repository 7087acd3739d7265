package run

import (
	"testing"

	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"

	"github.com/stretchr/testify/require"
)

func TestReadPort(t *testing.T) {
	for text, want := range map[string]op.Port{
		"8080:80":           {HostPort: 8080, ContainerPort: 80, Protocol: "tcp"},
		"80:80":             {HostPort: 80, ContainerPort: 80, Protocol: "tcp"},
		"53:5353/udp":       {HostPort: 53, ContainerPort: 5353, Protocol: "udp"},
		"127.0.0.1:8080:80": {HostIP: "127.0.0.1", HostPort: 8080, ContainerPort: 80, Protocol: "tcp"},
		"0.0.0.0:8080:80":   {HostPort: 8080, ContainerPort: 80, Protocol: "tcp"},
	} {
		got, err := readPort(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "80", ":80", "80:", "0:80", "80:65536", "80:80/sctp", "80:80/", "::1:80:80", "host:80:80", "a:b"} {
		_, err := readPort(text)
		require.Error(t, err, text)
	}
}

func TestReadUlimit(t *testing.T) {
	got, err := readUlimit("nofile=10:20")
	require.NoError(t, err)
	require.Equal(t, plan.Rlimit{Type: "RLIMIT_NOFILE", Soft: 10, Hard: 20}, got)
	got, err = readUlimit("core=0")
	require.NoError(t, err)
	require.Equal(t, plan.Rlimit{Type: "RLIMIT_CORE"}, got)
	got, err = readUlimit("memlock=1024:-1")
	require.NoError(t, err)
	require.Equal(t, plan.Rlimit{Type: "RLIMIT_MEMLOCK", Soft: 1024, Hard: 1<<64 - 1}, got)
	for _, text := range []string{"nofile", "nofile=", "nofile=20:10", "nofile=-2", "files=1"} {
		_, err := readUlimit(text)
		require.Error(t, err, text)
	}
}
