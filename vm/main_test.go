package vm

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"cutaway/sandbox/image"
	"cutaway/vm/guest"

	"github.com/stretchr/testify/require"
)

// The test binary is three programs: the tests; PID 1 of the guests they boot;
// and the process that keeps a machine or runs a command in one, to be killed.
const (
	keepThere = "CUTAWAY_TEST_KEEP" // a state directory
	runThis   = "CUTAWAY_TEST_RUN"  // a command in JSON
	withInit  = "CUTAWAY_TEST_INIT" // the program to be PID 1
)

func TestMain(m *testing.M) {
	if guest.Here() {
		guest.Main()
		return
	}
	if dir := os.Getenv(keepThere); dir != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := KeepUntilDown(ctx, dir, DefaultName, Config{Init: os.Getenv(withInit)}); err != nil {
			os.Exit(1)
		}
		return
	}
	if line := os.Getenv(runThis); line != "" {
		os.Exit(runAndSay(line))
	}
	os.Exit(m.Run())
}

func runAndSay(line string) int {
	var args []string
	if err := json.Unmarshal([]byte(line), &args); err != nil {
		fmt.Println(err)
		return 1
	}
	status, err := Run(context.Background(), Options{Config: Config{Init: os.Getenv(withInit)}, Command: Command{Args: args, Stdout: os.Stdout}})
	if err != nil {
		fmt.Println(err)
	}
	return status
}

// static gives this test binary as a program that runs without libraries, which
// it is only if it was built with CGO_ENABLED=0.
var static = sync.OnceValues(func() (string, error) {
	self, err := os.Executable()
	if err != nil || image.CheckBusybox(self, runtime.GOARCH) == nil {
		return self, err
	}
	cache, err := cacheDir("test")
	if err != nil {
		return "", err
	}
	out := filepath.Join(cache, "vm.test")
	build := exec.Command("go", "test", "-c", "-o", out, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build a static test binary: %w: %s", err, said)
	}
	return out, nil
})

// testConfig is a machine with this test binary as PID 1.
func testConfig(t *testing.T) Config {
	t.Helper()
	init, err := static()
	require.NoError(t, err)
	if lacking, err := (Packages{}).Lacking(context.Background(), "vm"); err != nil || lacking != "" {
		t.Fatalf("the test needs %s: vm/packages.sh install vm (%v)", lacking, err)
	}
	return Config{Init: init, BootLimit: 45 * time.Second}
}

// testContext ends before the test binary is killed.
func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// testBoot boots a machine for a test.
func testBoot(t *testing.T) *Machine {
	t.Helper()
	m, err := Boot(testContext(t), testConfig(t))
	require.NoError(t, err)
	t.Cleanup(m.Stop)
	return m
}
