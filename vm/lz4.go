package vm

import (
	"encoding/binary"
	"errors"
)

var errLZ4 = errors.New("broken LZ4 data")

// unpackLZ4 unpacks what follows the magic number of a file in LZ4's legacy
// format, which is what kernels are packed with: blocks, each after its length.
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, Legacy frame.
func unpackLZ4(packed []byte, size int) ([]byte, error) {
	out := make([]byte, 0, size)
	for len(packed) >= 4 {
		n := binary.LittleEndian.Uint32(packed)
		if uint64(n) > uint64(len(packed)-4) {
			return nil, errLZ4
		}
		block := packed[4 : 4+n]
		packed = packed[4+n:]
		var err error
		if out, err = unpackLZ4Block(out, block, size); err != nil {
			return nil, err
		}
	}
	if len(out) != size {
		return nil, errLZ4
	}
	return out, nil
}

// unpackLZ4Block appends a block: sequences of a token, literals, and a copy of
// what came before. lz4_Block_format.md.
func unpackLZ4Block(out, in []byte, size int) ([]byte, error) {
	begin := len(out)
	for len(in) > 0 {
		token := in[0]
		literals, rest, ok := lz4Length(int(token>>4), in[1:])
		if !ok || literals > len(rest) || literals > size-len(out) {
			return nil, errLZ4
		}
		out = append(out, rest[:literals]...)
		if in = rest[literals:]; len(in) == 0 {
			return out, nil // the last sequence has no copy
		}
		if len(in) < 2 {
			return nil, errLZ4
		}
		back := int(binary.LittleEndian.Uint16(in))
		match, rest, ok := lz4Length(int(token&15), in[2:])
		match += 4
		if !ok || back == 0 || back > len(out)-begin || match > size-len(out) {
			return nil, errLZ4
		}
		in = rest
		for match > 0 { // it may reach into what it writes itself
			n := min(match, back)
			out = append(out, out[len(out)-back:len(out)-back+n]...)
			match -= n
		}
	}
	return out, nil
}

// lz4Length reads a length: 15 is continued in bytes, up to one below 255.
func lz4Length(n int, in []byte) (int, []byte, bool) {
	if n < 15 {
		return n, in, true
	}
	for i, b := range in {
		n += int(b)
		if b < 255 {
			return n, in[i+1:], true
		}
	}
	return 0, nil, false
}
