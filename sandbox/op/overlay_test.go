package op

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// TestManyLayers mounts more layers than fit into one page of options by their
// full paths, and more than fit by their names alone: docker makes up to 127.
func TestManyLayers(t *testing.T) {
	for _, n := range []int{55, 127} {
		require.NoError(t, manyLayers(n), "%d layers", n)
	}
}

func manyLayers(n int) error {
	return onOwnThread(func(k *sys.Kernel, dir string) error {
		o := Overlay{Upper: dir + "/u", Work: dir + "/w", Target: dir + "/m"}
		for i := range n {
			layer := filepath.Join(dir, "l", fmt.Sprintf("%064d", i))
			if err := errors.Join(os.Mkdir(layer, 0o755), os.WriteFile(fmt.Sprintf("%s/%d", layer, i), nil, 0o644)); err != nil {
				return err
			}
			o.Lower = append(o.Lower, layer)
		}
		if len(o.data()) <= maxData {
			return errors.New("too few layers to show anything")
		}
		if err := Run(o, k, nil); err != nil {
			return err
		}
		merged, err := os.ReadDir(dir + "/m")
		if err == nil && len(merged) != n {
			err = fmt.Errorf("%d files of %d", len(merged), n)
		}
		return err
	})
}
