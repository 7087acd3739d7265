package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"cutaway/cmd/run"
	"cutaway/sandbox/image"
	"cutaway/stages"

	"github.com/spf13/cobra"
)

// patienceWithRegistries is how long one may be silent.
const patienceWithRegistries = 30 * time.Second

// pull fetches an image into the store.
func (c *cli) pull() *cobra.Command {
	var (
		o       image.PullOptions
		verbose bool
	)
	cmd := &cobra.Command{
		Use:   "pull IMAGE",
		Short: "fetch an image from its registry",
		Long: "Fetch IMAGE from its registry. busybox is docker.io/library/busybox:latest;\n" +
			"localhost:5000/name and name@sha256:... work as well.",
		Args: func(cmd *cobra.Command, args []string) error { return count(cmd, args, 1, 1) },
		RunE: func(cmd *cobra.Command, args []string) error {
			images, err := c.openStore()
			if err != nil {
				return err
			}
			if verbose {
				o.Request = showRequest
			}
			img, err := pullInto(cmd.Context(), images, args[0], o)
			if err != nil {
				return err
			}
			_, err = fmt.Printf("%s\n%s\n", img.Ref, img.Digest)
			return err
		},
	}
	cmd.Flags().BoolVar(&o.Insecure, "insecure", false, "allow plain HTTP and unverified TLS beyond loopback")
	cmd.Flags().DurationVar(&o.Timeout, "timeout", patienceWithRegistries, "give up after so long a silence of the registry")
	cmd.Flags().StringVar(&o.Platform, "platform", "", "`OS/ARCH` in place of this machine's: linux/arm64")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show each HTTP request")
	return cmd
}

// showRequest prints one exchange with the registry.
func showRequest(r image.Request) {
	line := fmt.Sprintf("%s %s  %d  %s  %d bytes  %s", r.Method, r.URL, r.Status, r.MediaType, r.Bytes, r.Took.Round(time.Millisecond))
	if r.Err != "" {
		line += "  " + r.Err
	}
	fmt.Fprintln(os.Stderr, line)
}

// pullInto pulls, with a bar for each layer if somebody is watching.
func pullInto(ctx context.Context, images *image.Store, ref string, o image.PullOptions) (*image.Image, error) {
	if ref == image.BuiltInRef {
		r := stages.Runner{Store: images}
		return r.Image(ctx, ref, o)
	}
	if o.Request != nil || !run.IsTerminal(os.Stderr) {
		return images.Pull(ctx, ref, o)
	}
	bars := newBars(os.Stderr)
	o.Progress = bars.progress
	img, err := images.Pull(ctx, ref, o)
	bars.wait(err)
	return img, err
}

// fetch gives an image of the store, or pulls it.
func (c *cli) fetch(ctx context.Context, r *stages.Runner, ref string, o image.PullOptions) (*image.Image, error) {
	if ref == image.BuiltInRef {
		return r.Image(ctx, ref, o)
	}
	return getOrPull(ctx, r.Store, ref, o)
}

func getOrPull(ctx context.Context, images *image.Store, ref string, o image.PullOptions) (*image.Image, error) {
	img, err := images.Get(ref)
	if errors.Is(err, image.ErrNotFound) {
		return pullInto(ctx, images, ref, o)
	}
	return img, err
}
