package sys

// room is what a run needs of a goroutine's stack, in bytes.
const room = 56 << 10

// GrowStack gives the calling goroutine a stack as large as a run needs, at once
// and while there is little on it. It would grow to that in five steps otherwise,
// and each copies what is there.
func GrowStack() { deepen(0) }

// deepen has a frame of that size, for which its caller's stack is made large
// enough; nothing in it is touched when n is 0.
//
//go:noinline
func deepen(n int) byte {
	if n == 0 {
		return 0
	}
	var frame [room]byte
	frame[n] = 1
	return frame[n/2] + frame[n]
}
