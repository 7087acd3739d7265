package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"cutaway/sandbox/trace"

	"github.com/spf13/cobra"
)

// ps lists the containers that run.
func (c *cli) ps() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "list the containers that run",
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			l, err := c.lab()
			if err != nil {
				return err
			}
			records, err := l.Records()
			if err != nil || len(records) == 0 {
				return err
			}
			var rows [][]string
			for _, r := range records {
				if c.json() {
					if err := writeJSON(map[string]any{"id": r.ID, "name": r.Name, "image": r.Image, "pid": r.PID, "started": r.Started, "args": r.Args}); err != nil {
						return err
					}
				}
				rows = append(rows, []string{r.ID, r.Name, r.Image, fmt.Sprint(r.PID), time.Since(r.Started).Round(time.Second).String(), strings.Join(r.Args, " ")})
			}
			if c.json() {
				return nil
			}
			return trace.Table(os.Stdout, c.text(os.Stdout), []string{"Id", "Name", "Image", "Pid", "Runs for", "Command"}, rows)
		},
	}
	c.formatFlag(cmd)
	return cmd
}

// stop ends containers.
func (c *cli) stop() *cobra.Command {
	return &cobra.Command{
		Use:               "stop ID...",
		Short:             "end containers: SIGTERM, and ten seconds later SIGKILL",
		Args:              func(cmd *cobra.Command, args []string) error { return count(cmd, args, 1, max(1, len(args))) },
		ValidArgsFunction: c.completeContainers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := c.lab()
			if err != nil {
				return err
			}
			var failed []error
			for _, id := range args { // one that is not there keeps none of the others alive
				r, err := l.Find(id)
				if err == nil {
					err = l.Stop(cmd.Context(), r)
				}
				if err == nil {
					_, err = fmt.Println(r.ID)
				}
				failed = append(failed, err)
			}
			return errors.Join(failed...)
		},
	}
}
