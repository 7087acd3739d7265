//go:build !init

package op

import (
	"encoding/json"
	"fmt"
)

// Decode makes an Undoer from its name and its JSON form, as the journal of a
// killed run holds them.
func Decode(name string, data []byte) (Undoer, error) {
	make, known := undoers[name]
	if !known {
		return nil, fmt.Errorf("journal names the operation %q, which this version cannot undo", name)
	}
	o, err := make(data)
	if err != nil {
		return nil, fmt.Errorf("read operation %s of the journal: %w", name, err)
	}
	return o, nil
}

// undoers knows every Op that outlives a container's processes.
var undoers = map[string]func([]byte) (Undoer, error){
	Dir{}.Name():            decode[Dir],
	Tree{}.Name():           decode[Tree],
	CgroupCreate{}.Name():   decode[CgroupCreate],
	CgroupEnable{}.Name():   decode[CgroupEnable],
	CgroupDelegate{}.Name(): decode[CgroupDelegate],
	Sysctl{}.Name():         decode[Sysctl],
	Bridge{}.Name():         decode[Bridge],
	Veth{}.Name():           decode[Veth],
	Nft{}.Name():            decode[Nft],
	NftCount{}.Name():       decode[NftCount],
}

func decode[T Undoer](data []byte) (Undoer, error) {
	var o T
	err := json.Unmarshal(data, &o)
	return o, err
}
