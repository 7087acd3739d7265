package overhead

import "context"

// fullVM is a whole machine, if one was set up.
func (b *bench) fullVM(context.Context) (Contender, error) {
	return Contender{}, absent("none was set up: vm/box.sh makes one")
}
