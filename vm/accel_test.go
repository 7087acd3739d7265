package vm

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTryKVM gets a verdict in bounded time, whatever KVM is like here, and
// another call boots nothing.
func TestTryKVM(t *testing.T) {
	config := testConfig(t) // says what is missing to boot a guest
	k, err := FindKernel(testContext(t), config.Kernel)
	require.NoError(t, err)
	begin := time.Now()
	v, err := tryKVM(testContext(t), k, config.Init)
	require.NoError(t, err)
	require.Less(t, time.Since(begin), kvmLimit+20*time.Second)
	require.Equal(t, v.Accel == "kvm", v.Why == "", "%+v", v)
	again, known := Acceleration(runtime.GOARCH)
	require.True(t, known)
	require.Equal(t, v, again)
}

// TestJudge: what the outcome of a boot says about KVM.
func TestJudge(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	v := Verdict{Accel: "tcg"}
	require.NoError(t, v.judge("amd64", nil))
	require.Equal(t, "kvm", v.Accel)
	v = Verdict{Accel: "tcg"}
	require.NoError(t, v.judge("amd64", &BootError{Fact: "boot Linux 6.1: no sign of life after 4s"}))
	require.Equal(t, "KVM is here, but a guest does not come up under it: boot Linux 6.1: no sign of life after 4s", v.Why)
	other := errors.New("disk full")
	require.ErrorIs(t, v.judge("amd64", other), other)
}

// TestKernelHere finds what an earlier search has fetched.
func TestKernelHere(t *testing.T) {
	want, err := FindKernel(testContext(t), KernelSource{})
	require.NoError(t, err)
	got, err := KernelHere(testContext(t))
	require.NoError(t, err)
	require.Equal(t, want, got)

	if hostKernel("/") == nil { // then it is the cache's
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
		got, err = KernelHere(testContext(t))
		require.NoError(t, err)
		require.Nil(t, got, "one would be fetched")
		t.Setenv("PATH", t.TempDir())
		_, err = KernelHere(testContext(t))
		var none *NoKernelError
		require.ErrorAs(t, err, &none)
	}
}
