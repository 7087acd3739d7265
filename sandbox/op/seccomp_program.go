package op

import (
	"fmt"
	"slices"

	"golang.org/x/net/bpf"

	"cutaway/sandbox/sys"
)

// Offsets in struct seccomp_data, in bytes: seccomp(2). Both architectures are
// little-endian: the low half of an argument comes first.
const (
	numberOffset = 0
	archOffset   = 4
	argsOffset   = 16
)

// seccompProgram is a BPF program under construction. It is written from its
// end to its beginning, because jumps lead only forward: what a jump leads to
// is then always in place, and the distance known.
type seccompProgram struct {
	reversed []bpf.Instruction
	answers  map[uint32]label // the place where each answer was last written
}

// label is a place in the program, counted from the end.
type label int

func newSeccompProgram() *seccompProgram {
	return &seccompProgram{answers: map[uint32]label{}}
}

func (b *seccompProgram) emit(i bpf.Instruction) label {
	b.reversed = append(b.reversed, i)
	return label(len(b.reversed) - 1)
}

// distance is how many instructions a jump written now skips to reach l.
func (b *seccompProgram) distance(l label) int { return len(b.reversed) - 1 - int(l) }

// reach is how far a conditional jump may lead: its distance is one byte, and
// near may put two instructions in between.
const reach = 255 - 2

// answer ends the program with a value.
func (b *seccompProgram) answer(value uint32) label {
	l, written := b.answers[value]
	if !written || b.distance(l) > reach {
		l = b.emit(bpf.RetConstant{Val: value})
		b.answers[value] = l
	}
	return l
}

// near gives a place in reach that does the same as l.
func (b *seccompProgram) near(l label) label {
	if b.distance(l) <= reach {
		return l
	}
	if ret, ok := b.reversed[l].(bpf.RetConstant); ok {
		return b.answer(ret.Val)
	}
	return b.emit(bpf.Jump{Skip: uint32(b.distance(l))})
}

// test compares the accumulator with value and goes on at yes or no.
func (b *seccompProgram) test(how bpf.JumpTest, value uint32, yes, no label) label {
	yes, no = b.near(yes), b.near(no)
	return b.emit(bpf.JumpIf{Cond: how, Val: value, SkipTrue: uint8(b.distance(yes)), SkipFalse: uint8(b.distance(no))})
}

// load puts the 32-bit word at an offset into the accumulator and goes on at
// next.
func (b *seccompProgram) load(offset uint32, next label) label {
	if b.distance(next) > 0 {
		b.emit(bpf.Jump{Skip: uint32(b.distance(next))})
	}
	return b.emit(bpf.LoadAbsolute{Off: offset, Size: 4})
}

// search finds the span of the number in the accumulator: a binary tree of
// comparisons.
func (b *seccompProgram) search(spans []seccompSpan) label {
	if len(spans) == 1 {
		return b.decide(spans[0])
	}
	middle := len(spans) / 2
	above := b.search(spans[middle:])
	below := b.search(spans[:middle])
	return b.test(bpf.JumpGreaterOrEqual, spans[middle].first, above, below)
}

// decide makes the checks of a span, in order.
func (b *seccompProgram) decide(s seccompSpan) label {
	next := b.answer(s.other)
	for _, check := range slices.Backward(s.checks) {
		holds := b.answer(check.answer)
		for _, condition := range slices.Backward(check.all) {
			holds = b.compare(condition, holds, next)
		}
		next = holds
	}
	return next
}

// compare tests an argument of 64 bits by its halves.
func (b *seccompProgram) compare(c SeccompArg, yes, no label) label {
	switch c.Op {
	case "SCMP_CMP_NE":
		return b.equal(c.Index, ^uint64(0), c.Value, no, yes)
	case "SCMP_CMP_MASKED_EQ":
		return b.equal(c.Index, c.Value, c.ValueTwo, yes, no)
	case "SCMP_CMP_GT":
		return b.above(bpf.JumpGreaterThan, c, yes, no)
	case "SCMP_CMP_GE":
		return b.above(bpf.JumpGreaterOrEqual, c, yes, no)
	case "SCMP_CMP_LT":
		return b.above(bpf.JumpGreaterOrEqual, c, no, yes)
	case "SCMP_CMP_LE":
		return b.above(bpf.JumpGreaterThan, c, no, yes)
	}
	return b.equal(c.Index, ^uint64(0), c.Value, yes, no) // SCMP_CMP_EQ
}

// equal goes on at yes if the bits of the argument that are in mask are those
// of value.
func (b *seccompProgram) equal(index uint, mask, value uint64, yes, no label) label {
	low := b.half(index, 0, uint32(mask), b.test(bpf.JumpEqual, uint32(value), yes, no))
	return b.half(index, 1, uint32(mask>>32), b.test(bpf.JumpEqual, uint32(value>>32), low, no))
}

// above goes on at yes if the argument is greater than the value, or equal to
// it where that is enough. The low halves count only if the high ones are equal.
func (b *seccompProgram) above(how bpf.JumpTest, c SeccompArg, yes, no label) label {
	high, low := uint32(c.Value>>32), uint32(c.Value)
	next := b.half(c.Index, 0, ^uint32(0), b.test(how, low, yes, no))
	next = b.test(bpf.JumpEqual, high, next, no)
	return b.half(c.Index, 1, ^uint32(0), b.test(bpf.JumpGreaterThan, high, yes, next))
}

// half loads one half of an argument, 0 the low one, and goes on at next.
func (b *seccompProgram) half(index, which uint, mask uint32, next label) label {
	if mask != ^uint32(0) {
		next = b.emit(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
	}
	return b.load(uint32(argsOffset+8*index+4*which), next)
}

// assemble turns the program the right way round, and ends its construction.
func (b *seccompProgram) assemble() ([]bpf.RawInstruction, error) {
	if len(b.reversed) > sys.MaxFilter {
		return nil, fmt.Errorf("%d instructions, and the kernel takes %d", len(b.reversed), sys.MaxFilter)
	}
	slices.Reverse(b.reversed)
	return bpf.Assemble(b.reversed)
}
