package stages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"cutaway/sandbox"
	"cutaway/sandbox/initbin"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"

	"github.com/stretchr/testify/require"
)

// runtimeEscapes reach for the program that makes the container, and for what it
// has from whoever started it.
var runtimeEscapes = []escape{
	{name: "write to init's program, held open", past: "CVE-2019-5736", try: tryOverwriteFile,
		walls: []wall{byEngine("a file that only root of the host may write", "EACCES")}},
	{name: "the same without a user namespace", past: "CVE-2019-5736", try: tryOverwriteMemory,
		walls: []wall{byEngine("a sealed memfd", "EPERM")}},
	{name: "have #!/proc/self/exe as the payload", past: "CVE-2019-5736", try: tryInterpreter,
		walls: []wall{byEngine("an init that obeys its socket only", "EBADF")}},
	{name: "find a key of who started the lab", try: trySessionKey,
		walls: []wall{byEngine("a session keyring of its own", "ENOKEY")}},
}

// overwrite has a process in the container, with all capabilities there, hold
// init's program while init still runs it, and gives what it says of writing to it.
func (w *wallTest) overwrite(t *testing.T, spec plan.Spec) string {
	t.Helper()
	spec.Process.Args = []string{buildup.Shell, "-c", "read -r forever"}
	input, held, err := os.Pipe() // nothing is ever written to it
	require.NoError(t, err)
	defer input.Close()
	defer held.Close()
	var out safeBuffer
	var attack *exec.Cmd
	hold := func() {
		records, err := w.runner.Lab.Records()
		require.NoError(t, err)
		into := []string{"--target", fmt.Sprint(records[len(records)-1].PID), "--mount", "--pid"}
		if spec.Has("user") {
			into = append(into, "--user", "--setuid", "0", "--setgid", "0")
		}
		attack = exec.Command("nsenter", append(into, "/usr/bin/probe", "overwrite", "1")...)
		attack.Stdout, attack.Stderr = &out, &out
		require.NoError(t, attack.Start())
		require.Eventually(t, func() bool { return strings.Contains(out.String(), "holding:") }, 10*time.Second, time.Millisecond, &out)
	}
	last := 0
	c, err := w.runner.Lab.Start(t.Context(), spec, sandbox.Options{Stdio: [3]*os.File{input, os.Stdout, os.Stderr},
		Watch: true, Shown: func(_ plan.Spec, p plan.Plan) []bool {
			last = len(p) - 1 // which is execve
			return make([]bool, len(p))
		},
		Step: func(i int, done bool) {
			if i == last && !done {
				hold()
			}
		}})
	require.NoError(t, err)
	require.NotNil(t, attack)
	attacked := attack.Wait()
	require.NoError(t, c.Remove())
	require.ErrorContains(t, attacked, "exit status 1", &out)
	return out.String()
}

// safeBuffer is written by a command's goroutine and read by a test.
type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// The same attempt on a program of the container's own succeeds.
func (w *wallTest) overwriteOwn(t *testing.T) {
	t.Helper()
	out := w.make(t, w.room(t, nil, nil), "cp /bin/busybox /tmp/sleep; /tmp/sleep 0.3 & probe overwrite $!; rm /tmp/sleep")
	require.Contains(t, out.Text, "written: yes")
}

func tryOverwriteFile(t *testing.T, w *wallTest) {
	require.Regexp(t, `holding: .*init-[0-9a-f]{16}\n.*written: no: .*EACCES`, strings.ReplaceAll(w.overwrite(t, w.spec), "\nwritten", "\n written"))
	w.intact(t)
	w.overwriteOwn(t)
}

func tryOverwriteMemory(t *testing.T, w *wallTest) {
	spec := w.spec
	spec.Linux.Namespaces = append([]string(nil), spec.Linux.Namespaces...)
	hostUsers(&spec)
	out := w.overwrite(t, spec)
	require.Contains(t, out, "holding: /memfd:")
	require.Contains(t, out, "written: no: what was opened to write: EPERM")
	w.overwriteOwn(t)
}

// intact asserts that init's program is the one that was built.
func (w *wallTest) intact(t *testing.T) {
	t.Helper()
	want, err := initbin.Digest()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(w.runner.Lab.Dirs.Data, "init-*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	f, err := os.Open(files[0])
	require.NoError(t, err)
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	require.NoError(t, err)
	require.Equal(t, want, hex.EncodeToString(h.Sum(nil)))
}

// tryInterpreter has the kernel run init once more, as the interpreter of the
// payload.
func tryInterpreter(t *testing.T, w *wallTest) {
	spec, layer := w.evil(t, nil)
	require.NoError(t, os.WriteFile(filepath.Join(layer, "payload"), []byte("#!/proc/self/exe\n"), 0o755))
	spec.Process.Args = []string{"/payload"}
	out, err := w.output(t, spec, os.Stdin)
	require.NoError(t, err)
	require.Equal(t, 1, out.Status)
	require.Contains(t, out.Text, "read the spec from the host", "it was init that ran")
	w.intact(t)
}

// Numbers of keyctl(2), of linux/keyctl.h.
const (
	keyringJoin, keyringSearch = 1, 10
	sessionKeyring             = ^uintptr(2) // KEY_SPEC_SESSION_KEYRING, -3
)

// trySessionKey starts cutaway from a session with a key in it.
func trySessionKey(t *testing.T, w *wallTest) {
	w.needLayers(t)
	runtime.LockOSThread() // never unlocked: the thread has another session from here on
	keyctl := func(args ...uintptr) syscall.Errno {
		all := append(args, make([]uintptr, 5-len(args))...)
		_, _, e := syscall.Syscall6(syscall.SYS_KEYCTL, all[0], all[1], all[2], all[3], all[4], 0)
		return e
	}
	text := func(s string) uintptr {
		p, err := syscall.BytePtrFromString(s)
		require.NoError(t, err)
		return uintptr(unsafe.Pointer(p))
	}
	require.Zero(t, keyctl(keyringJoin))
	_, _, e := syscall.Syscall6(syscall.SYS_ADD_KEY, text("user"), text("cutaway-wall"), text("x"), 1, sessionKeyring, 0)
	require.Zero(t, e)
	require.Zero(t, keyctl(keyringSearch, sessionKeyring, text("user"), text("cutaway-wall")), "it is there")
	run := exec.CommandContext(t.Context(), cutaway, "--state", w.runner.Lab.Dirs.Data, "run", "--in", "host", "--net", "none",
		"--security-opt", "seccomp=unconfined", "built-in", "probe", "call", "search-key", "cutaway-wall")
	out, err := run.CombinedOutput()
	require.ErrorContains(t, err, "exit status 1", "%s", out)
	require.Contains(t, string(out), "ENOKEY")
}
