package stages

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"cutaway/sandbox/trace"
)

// Probe runs a command in the container of a stage as Exec does, but keeps what
// it prints: that becomes a probe event, before the one that tells the end. The
// command's standard input is this process's.
func (r *Runner) Probe(ctx context.Context, s Stage, args []string) (int, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return 0, fmt.Errorf("make a pipe: %w", err)
	}
	defer read.Close()
	output := make(chan string, 1)
	go func() {
		var text strings.Builder
		// A pipe that cannot be read has nothing more to say.
		_, _ = io.Copy(&text, read)
		output <- strings.TrimRight(text.String(), "\n")
	}()
	status, err := r.exec(ctx, s, Command{Args: args, Stdio: [3]*os.File{os.Stdin, write, write}}, func(e trace.Event) {
		// The container is gone, and with it every other writer.
		write.Close()
		r.emit(trace.Event{Event: trace.ProbeEvent, Stage: s.Slug, Where: "inside",
			Cmd: strings.Join(args, " "), Output: <-output, Status: e.Status, Signal: e.Signal})
	})
	write.Close()
	return status, err
}
