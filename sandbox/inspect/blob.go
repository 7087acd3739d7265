package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// blobs adds the blobs of an OCI image layout (image-layout.md: the directory
// blobs/ALGORITHM/DIGEST). That a blob's bytes match its name was verified when
// it was stored, not here.
func (s *survey) blobs(dir string) {
	for _, algorithm := range s.children(dir) {
		for _, entry := range s.children(filepath.Join(dir, algorithm.Name())) {
			path := filepath.Join(dir, algorithm.Name(), entry.Name())
			info, err := entry.Info()
			if err != nil || !info.Mode().IsRegular() {
				continue // gone since the directory was read, or no blob
			}
			mediaType, err := sniffBlob(path, info.Size())
			s.gap("read blob", err)
			s.add(Object{
				Kind: Blob, ID: algorithm.Name() + ":" + entry.Name(), Where: path,
				Detail: Detail{}.with("size", strconv.FormatInt(info.Size(), 10)).with("media type", mediaType),
			})
		}
	}
}

// maxManifest bounds what is read as JSON, in bytes: registries refuse
// manifests over 4 MiB, and only a name is wanted from them here.
const maxManifest = 64 << 10

// sniffBlob tells what a blob is from its bytes. A manifest or index says so
// itself; a config does not, but only a config has a rootfs; a layer is known
// by the magic number of its compression.
func sniffBlob(path string, size int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, min(size, maxManifest))
	if _, err := io.ReadFull(f, head[:min(len(head), 4)]); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "application/gzip", nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "application/zstd", nil
	case !bytes.HasPrefix(head, []byte("{")) || size > maxManifest:
		return "", nil
	}
	if _, err := io.ReadFull(f, head[min(len(head), 4):]); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	var document struct {
		MediaType string          `json:"mediaType"`
		RootFS    json.RawMessage `json:"rootfs"`
	}
	if json.Unmarshal(head, &document) != nil {
		return "", nil // not JSON after all: not known, which is no error
	}
	if document.MediaType == "" && document.RootFS != nil {
		return "application/vnd.oci.image.config.v1+json", nil
	}
	return document.MediaType, nil
}
