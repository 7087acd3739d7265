package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"cutaway/sandbox/image"
	"cutaway/vm"

	"github.com/spf13/cobra"
)

// load takes images from a directory, for where there is no registry.
func (c *cli) load() *cobra.Command {
	return &cobra.Command{
		Use:   "load DIR [NAME]",
		Short: "take images from an OCI image layout on disk",
		Long: "Take the images of the OCI image layout in DIR, or the one that is in it by the\n" +
			"name NAME. cutaway save writes such a directory, and so do\n" +
			"skopeo copy docker://alpine oci:DIR:alpine and docker save alpine | tar -x -C DIR.",
		Args: func(cmd *cobra.Command, args []string) error { return count(cmd, args, 1, 2) },
		RunE: func(cmd *cobra.Command, args []string) error {
			images, err := c.openStore()
			if err != nil {
				return err
			}
			loaded, err := images.Load(cmd.Context(), args[0], strings.Join(args[1:], ""))
			for _, img := range loaded {
				fmt.Printf("%s\n%s\n", img.Ref, img.Digest)
			}
			return err
		},
	}
}

// save writes an image to a directory.
func (c *cli) save() *cobra.Command {
	return &cobra.Command{
		Use:               "save IMAGE DIR",
		Short:             "write an image to disk, as an OCI image layout",
		Args:              func(cmd *cobra.Command, args []string) error { return count(cmd, args, 2, 2) },
		ValidArgsFunction: c.completeImages,
		RunE: func(_ *cobra.Command, args []string) error {
			images, err := c.openStore()
			if err != nil {
				return err
			}
			return images.Save(args[0], args[1])
		},
	}
}

// openStore opens the store of images that the flags name.
func (c *cli) openStore() (*image.Store, error) {
	l, err := c.lab()
	if err != nil {
		return nil, err
	}
	return store(l)
}

// loadedThere is where an image is on its way into the store of a microVM.
const loadedThere = "/tmp/cutaway-image"

// takeImage lets a microVM know an image of this machine.
func takeImage(images *image.Store, img *image.Image) func(context.Context, *vm.Link) error {
	return func(ctx context.Context, l *vm.Link) error {
		var have bytes.Buffer
		if _, err := l.Run(ctx, vm.Command{Args: []string{"cutaway", "images", "--format", "json"}, Stdout: &have}); err != nil {
			return err
		}
		if strings.Contains(have.String(), img.Digest) {
			return nil
		}
		dir, err := os.MkdirTemp("", "cutaway-image-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		layout := filepath.Join(dir, "layout")
		if err := images.Save(img.Ref, layout); err != nil {
			return err
		}
		files := map[string]string{}
		err = fs.WalkDir(os.DirFS(layout), ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files[loadedThere+"/"+path] = filepath.Join(layout, path)
			}
			return err
		})
		if err == nil {
			err = l.Put(ctx, files)
		}
		if err != nil {
			return err
		}
		var said bytes.Buffer
		status, err := l.Run(ctx, vm.Command{Stderr: &said, Args: []string{"sh", "-c",
			"cutaway load " + loadedThere + "; status=$?; rm -r " + loadedThere + "; exit $status"}})
		if err == nil && status != 0 {
			err = fmt.Errorf("load %s in the microVM: %w", img.Ref, errors.New(strings.TrimPrefix(strings.TrimSpace(said.String()), "cutaway: ")))
		}
		return err
	}
}

// memoryFor is what a microVM needs to unpack an image beside its own files, in
// MiB: its disk is memory, of which files get the half, and blobs unpack to about
// three times their size.
func memoryFor(img *image.Image) int {
	const usual = 512
	return usual + 2*4*int(blobBytes(img)>>20)
}
