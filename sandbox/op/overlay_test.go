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
// full paths.
func TestManyLayers(t *testing.T) {
	err := onOwnThread(func(k *sys.Kernel, dir string) error {
		o := Overlay{Upper: dir + "/u", Work: dir + "/w", Target: dir + "/m"}
		for i := range 55 {
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
		if err == nil && len(merged) != 55 {
			err = fmt.Errorf("%d files of 55", len(merged))
		}
		return err
	})
	require.NoError(t, err)
}
