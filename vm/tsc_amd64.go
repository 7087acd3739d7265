package vm

import (
	"runtime"
	"strconv"
	"time"
)

// rdtsc reads the processor's time-stamp counter.
func rdtsc() uint64

// clockHint tells an emulated kernel how fast the time-stamp counter runs,
// which QEMU hands through from the host. Left to itself the kernel measures it
// against an emulated timer chip, finds no steady value on a busy host, and
// then waits for ever for a clock it no longer has. Nor may it compare the two
// later: it would drop the counter for a clock of 4 ms.
func clockHint(arch, accel string) string {
	if arch != runtime.GOARCH || accel != "tcg" {
		return ""
	}
	begin, first := time.Now(), rdtsc()
	time.Sleep(10 * time.Millisecond)
	last, elapsed := rdtsc(), time.Since(begin)
	khz := uint64(float64(last-first) / float64(elapsed.Nanoseconds()) * 1e6)
	return "tsc=reliable tsc_early_khz=" + strconv.FormatUint(khz, 10)
}
