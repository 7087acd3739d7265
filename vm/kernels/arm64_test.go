package kernels

import (
	"testing"
	"time"

	"cutaway/vm"

	"github.com/stretchr/testify/require"
)

// armSuites are the tests that depend on the architecture, but for the tour: the
// numbers of system calls in filters, and what the kernel was built with.
var armSuites = []suite{
	{dir: "sandbox/features"},
	{dir: "sandbox/op", only: "Filter|Profiles|Compile"},
	{dir: "sandbox/profile"},
}

// TestARM64 takes the tour on the other architecture, on a kernel that has all
// it can use. Where the processor is emulated that takes minutes, so make
// test-arm64 runs this test and make test does not.
func TestARM64(t *testing.T) {
	files := map[string]string{}
	for _, s := range armSuites {
		files["/src/"+s.dir+"/kernel.test"] = buildTest(t, s.dir, "arm64")
	}
	m := boot(t, vm.Config{
		Kernel:    vm.KernelSource{Series: newest, Arch: "arm64"},
		Init:      absolute(t, root, "bin/arm64/whole"),
		Image:     absolute(t, root, "bin/arm64/image.tar"),
		Memory:    memory,
		Files:     files,
		BootLimit: 3 * time.Minute,
	})
	out, status := m.run(t, "/root", "uname", "-m")
	require.Zero(t, status)
	require.Equal(t, "aarch64\n", out)
	for _, s := range armSuites {
		t.Run(s.dir, func(t *testing.T) { m.test(t, newest, s) })
	}
	t.Run("tour", m.tour)
}
