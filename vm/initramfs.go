package vm

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"cutaway/sandbox/image"
	"cutaway/vm/guest"
)

// markerFile says that a machine is disposable: containers may be built on it.
const markerFile = "etc/cutaway-machine"

// initramfs opens an initramfs for kernel k with the program at init as PID 1
// and its built-in image as root, and with more files: by their path in it, files
// here.
func initramfs(k *Kernel, init, builtIn string, files map[string]string) (*os.File, error) {
	base, err := baseInitramfs(k, init, builtIn)
	if err != nil {
		return nil, err
	}
	if len(files) > 0 {
		return withFiles(base, files)
	}
	return os.Open(base)
}

// baseInitramfs gives the file of an initramfs, from the cache if the same has
// been made before. It is not compressed: to read a few more megabytes costs an
// emulated machine less than to unpack them.
func baseInitramfs(k *Kernel, init, builtIn string) (string, error) {
	if err := image.CheckBusybox(init, k.Arch); err != nil {
		return "", fmt.Errorf("make the initramfs: PID 1 must run without libraries: %w", err)
	}
	program, err := os.ReadFile(init)
	if err != nil {
		return "", err
	}
	dir, err := cacheDir("initramfs")
	if err != nil {
		return "", err
	}
	base, err := baseLayer(builtIn, k.Arch)
	if err != nil {
		return "", err
	}
	key, err := initramfsKey(k, program, base)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, key+".cpio")
	if used(file) {
		return file, nil
	}
	if err := buildInitramfs(file, k, program, base); err != nil {
		return "", fmt.Errorf("make the initramfs: %w", err)
	}
	return file, prune(dir)
}

// baseLayer is the archive of the first layer of the built-in image, this
// program's or the one in a file: busybox and what a root file system needs
// around it.
func baseLayer(builtIn, arch string) ([]byte, error) {
	img, err := image.BuiltIn()
	if builtIn != "" {
		img, err = image.ReadLayout(builtIn)
	}
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	if config.Architecture != arch {
		return nil, fmt.Errorf("make the initramfs: the built-in image is for %s, not for %s", config.Architecture, arch)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) == 0 {
		return nil, fmt.Errorf("read the built-in image: %d layers: %w", len(layers), err)
	}
	r, err := layers[0].Uncompressed()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// layout is to be changed when the same ingredients give another archive.
const layout = "3"

// initramfsKey is a hash of what goes in. The modules of a kernel stand for
// themselves by its version and by when it was unpacked.
func initramfsKey(k *Kernel, program, base []byte) (string, error) {
	st, err := os.Stat(k.Image)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, layout, k.Version, k.Arch, st.Size(), st.ModTime().UnixNano(), eager, required, optional)
	for _, part := range [][]byte{program, base} {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return k.Version + "-" + hex.EncodeToString(h.Sum(nil))[:16], nil
}

func buildInitramfs(to string, k *Kernel, program, base []byte) error {
	files, err := layerFiles(base)
	if err != nil {
		return err
	}
	tree, err := readModuleTree(k.Modules)
	if err != nil {
		return err
	}
	first, err := tree.resolve(eager, nil)
	if err != nil {
		return err
	}
	modules, err := tree.resolve(slices.Concat(eager, required), optional)
	if err != nil {
		return err
	}
	var order strings.Builder
	for _, m := range first {
		order.WriteString(m.name + "\n")
	}
	files = append(files,
		// The kernel opens it for PID 1 before anybody has mounted anything.
		file{name: "dev/console", mode: fs.ModeDevice | fs.ModeCharDevice | 0o600, dev: [2]uint32{5, 1}},
		file{name: "init", mode: 0o755, body: program},
		file{name: "usr/bin/cutaway", mode: fs.ModeSymlink | 0o777, body: []byte("/init")},
		file{name: markerFile, mode: 0o644, body: []byte("a microVM of cutaway\n")},
		file{name: strings.TrimPrefix(guest.ModuleList, "/"), mode: 0o644, body: []byte(order.String())},
	)
	files = append(files, moduleFiles(k.Version, modules)...)
	return writeWhole(to, func(w io.Writer) error { return writeCPIO(w, files) })
}

// withFiles makes an initramfs that has more files in it. The kernel unpacks
// archives that follow one another. The file has no name any more: it ends with
// its last descriptor, even if we are killed.
func withFiles(base string, files map[string]string) (*os.File, error) {
	var more []file
	made := map[string]bool{".": true}
	for _, to := range slices.Sorted(maps.Keys(files)) {
		body, err := os.ReadFile(files[to])
		if err != nil {
			return nil, err
		}
		st, err := os.Stat(files[to])
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(path.Clean(to), "/")
		more = append(more, directories(path.Dir(name), made)...)
		more = append(more, file{name: name, mode: st.Mode().Perm(), body: body})
	}
	f, err := os.CreateTemp("", "cutaway-initramfs-")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.Remove(f.Name()), appendTo(f, base, more)); err != nil {
		f.Close()
		return nil, fmt.Errorf("make the initramfs: %w", err)
	}
	return f, nil
}

func appendTo(f *os.File, base string, files []file) error {
	first, err := os.Open(base)
	if err != nil {
		return err
	}
	defer first.Close()
	if _, err := io.Copy(f, first); err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(writeCPIO(w, files), w.Flush())
}

// directories are those on the way to dir that have not been made yet. One that
// the first archive has already stays as it is but for its mode.
func directories(dir string, made map[string]bool) []file {
	if made[dir] {
		return nil
	}
	made[dir] = true
	mode := fs.FileMode(0o755)
	if dir == "tmp" {
		mode = fs.ModeSticky | 0o777
	}
	return append(directories(path.Dir(dir), made), file{name: dir, mode: fs.ModeDir | mode})
}

// layerFiles are the files of a layer, but for those that only serve the
// lessons about images. Hard links become symbolic ones.
func layerFiles(layer []byte) ([]file, error) {
	var files []file
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		f := file{name: path.Clean(h.Name), mode: h.FileInfo().Mode()}
		if f.name == "etc/secret" || f.name == "srv" || strings.HasPrefix(f.name, "srv/") || f.name == "etc/motd" {
			continue
		}
		switch h.Typeflag {
		case tar.TypeDir:
		case tar.TypeReg:
			if f.body, err = io.ReadAll(r); err != nil {
				return nil, err
			}
		case tar.TypeSymlink:
			f.body = []byte(h.Linkname)
		case tar.TypeLink:
			f.mode, f.body = fs.ModeSymlink|0o777, []byte("/"+h.Linkname)
		default:
			return nil, fmt.Errorf("%s: neither file, directory nor link", h.Name)
		}
		files = append(files, f)
	}
}
