package pid1

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
)

// A message is the fields of its struct in their order, and nothing else: both
// programs are built together from the same types, so neither names nor kinds
// need be said. JSON would, and preparing it for these types takes either side
// half a millisecond, a tenth of a container. Bytes are not looked at: an
// argument that is no UTF-8 arrives as it was.

// encode appends the binary form of v, which holds plain data only: booleans,
// integers, strings, slices, maps by string, pointers (nil or a value), structs
// with exported fields.
func encode(b []byte, v reflect.Value) ([]byte, error) {
	var err error
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return binary.AppendVarint(b, v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return binary.AppendUvarint(b, v.Uint()), nil
	case reflect.String:
		return append(binary.AppendUvarint(b, uint64(v.Len())), v.String()...), nil
	case reflect.Slice:
		// A nil slice and an empty one mean different things to a Spec: 0 is nil.
		if v.IsNil() {
			return append(b, 0), nil
		}
		b = binary.AppendUvarint(b, uint64(v.Len())+1)
		for i := 0; i < v.Len() && err == nil; i++ {
			b, err = encode(b, v.Index(i))
		}
	case reflect.Map:
		if v.IsNil() {
			return append(b, 0), nil
		}
		b = binary.AppendUvarint(b, uint64(v.Len())+1)
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return slices.Compare([]byte(x.String()), []byte(y.String())) })
		for _, k := range keys {
			if b, err = encode(b, k); err == nil {
				b, err = encode(b, v.MapIndex(k))
			}
			if err != nil {
				break
			}
		}
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0), nil
		}
		return encode(append(b, 1), v.Elem())
	case reflect.Struct:
		for i := 0; i < v.NumField() && err == nil; i++ {
			b, err = encode(b, v.Field(i))
		}
	default:
		err = fmt.Errorf("encode a message: a %s is no plain data", v.Type())
	}
	return b, err
}

// decoder reads what encode wrote. It stops at the first thing that cannot be.
// The strings it gives are parts of the message, which nobody changes.
type decoder struct {
	rest string
	err  error
}

// number reads an unsigned number; most is what it can sensibly be.
func (d *decoder) number(most uint64) uint64 {
	n, size := binary.Uvarint(d.digits())
	if size <= 0 || n > most {
		d.fail()
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

// digits has the next number in it.
func (d *decoder) digits() []byte {
	return []byte(d.rest[:min(len(d.rest), binary.MaxVarintLen64)])
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = fmt.Errorf("read a message: it makes no sense %d bytes before its end", len(d.rest))
	}
	d.rest = ""
}

func (d *decoder) decode(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(d.number(1) == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, size := binary.Varint(d.digits())
		if size <= 0 {
			d.fail()
			return
		}
		d.rest = d.rest[size:]
		v.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(d.number(1<<64 - 1))
	case reflect.String:
		n := d.number(1<<64 - 1)
		if n > uint64(len(d.rest)) {
			d.fail()
			return
		}
		v.SetString(d.rest[:n])
		d.rest = d.rest[n:]
	case reflect.Slice:
		d.decodeSlice(v)
	case reflect.Map:
		d.decodeMap(v)
	case reflect.Pointer:
		if d.number(1) == 1 {
			v.Set(reflect.New(v.Type().Elem()))
			d.decode(v.Elem())
		}
	case reflect.Struct:
		for i := 0; i < v.NumField() && d.err == nil; i++ {
			d.decode(v.Field(i))
		}
	default:
		d.fail()
	}
}

// length reads how many elements follow; ok is false for nil. Each takes a byte
// at least, so a length beyond what is left is nonsense.
func (d *decoder) length() (n int, ok bool) {
	l := d.number(uint64(len(d.rest)) + 1)
	return int(l) - 1, l > 0
}

func (d *decoder) decodeSlice(v reflect.Value) {
	n, ok := d.length()
	if !ok {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := 0; i < n && d.err == nil; i++ {
		d.decode(v.Index(i))
	}
}

func (d *decoder) decodeMap(v reflect.Value) {
	n, ok := d.length()
	if !ok {
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), n))
	for i := 0; i < n && d.err == nil; i++ {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		d.decode(key)
		d.decode(value)
		v.SetMapIndex(key, value)
	}
}

// marshal encodes a whole message, a struct or a pointer to one.
func marshal(message any) ([]byte, error) {
	return encode(nil, reflect.Indirect(reflect.ValueOf(message)))
}

// unmarshal reads one into what message points to.
func unmarshal(b []byte, message any) error {
	d := decoder{rest: string(b)}
	d.decode(reflect.ValueOf(message).Elem())
	if d.err == nil && len(d.rest) > 0 {
		d.fail()
	}
	return d.err
}
