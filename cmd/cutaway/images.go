package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"cutaway/sandbox/image"
	"cutaway/sandbox/trace"

	"github.com/spf13/cobra"
)

// images lists what the store has.
func (c *cli) images() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "images",
		Short: "list the images that are here",
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			list, err := c.stored()
			if len(list) == 0 {
				return err
			}
			if c.json() {
				for _, img := range list {
					if err := writeJSON(img); err != nil {
						return err
					}
				}
				return err
			}
			rows := make([][]string, len(list))
			for i, img := range list {
				rows[i] = []string{img.Ref, shortDigest(img.Digest), img.Platform, fmt.Sprint(len(img.Layers)), size(img), img.Created.Format(time.DateOnly)}
			}
			if tableErr := trace.Table(os.Stdout, c.text(os.Stdout), []string{"Image", "Digest", "Platform", "Layers", "Size", "Created"}, rows); tableErr != nil {
				return tableErr
			}
			return err
		},
	}
	c.formatFlag(cmd)
	return cmd
}

// shortDigest is as much of a digest as people need to name an image.
func shortDigest(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return hex[:min(12, len(hex))]
}

// rmi removes images.
func (c *cli) rmi() *cobra.Command {
	return &cobra.Command{
		Use:               "rmi IMAGE...",
		Short:             "remove images",
		Args:              func(cmd *cobra.Command, args []string) error { return count(cmd, args, 1, max(1, len(args))) },
		ValidArgsFunction: c.completeImages,
		RunE: func(_ *cobra.Command, args []string) error {
			images, err := c.openStore()
			if err != nil {
				return err
			}
			var failed []error
			for _, ref := range args {
				err := images.Remove(ref)
				if err == nil {
					_, err = fmt.Println("removed " + ref)
				}
				failed = append(failed, err)
			}
			return errors.Join(failed...)
		},
	}
}

// stored are the images of the store. Those that can be read come with the
// error about the others.
func (c *cli) stored() ([]*image.Image, error) {
	images, err := c.openStore()
	if err != nil {
		return nil, err
	}
	return images.List()
}

// size is what an image's blobs take, for people.
func size(img *image.Image) string { return fmt.Sprintf("%.1f MiB", float64(blobBytes(img))/(1<<20)) }

func blobBytes(img *image.Image) (bytes int64) {
	for _, b := range img.Blobs() {
		bytes += b.Size
	}
	return bytes
}

// completeImages offers the references of the store as a first argument.
func (c *cli) completeImages(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	// A store that cannot be read offers nothing.
	list, _ := c.stored()
	refs := []cobra.Completion{image.BuiltInRef}
	for _, img := range list {
		if img.Ref != image.BuiltInRef {
			refs = append(refs, img.Ref)
		}
	}
	return refs, cobra.ShellCompDirectiveNoFileComp
}
