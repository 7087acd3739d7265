package main

import (
	"errors"
	"fmt"
	"os"

	"cutaway/cmd/run"
	"cutaway/sandbox/features"
	"cutaway/sandbox/trace"
	"cutaway/stages"

	"github.com/spf13/cobra"
)

// version is what git describe says of the source; make build sets it.
var version = "(built without make: version unknown)"

// newPage begins the page of --format html. It is written in the end, by
// closePage: until then nobody knows what will be on it.
func (c *cli) newPage(f features.Features) trace.Sink {
	c.page = trace.NewHTML(os.Stdout, stages.Conditions(f, "cutaway "+version))
	if run.IsTerminal(os.Stderr) {
		return trace.Tee(c.page, waiting{})
	}
	return c.page
}

// waiting tells a person who waits for a page which stage is played.
type waiting struct{}

// Emit writes over the line before.
func (waiting) Emit(e trace.Event) {
	if e.Event == trace.StageEvent && !e.Done {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%s, %s", e.Stage, e.Title)
	}
}

// closePage writes the page, if one was begun, however the run ended. An error
// that ended it is on the page, too.
func (c *cli) closePage(err error) error {
	if c.page == nil {
		return err
	}
	if run.IsTerminal(os.Stderr) {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
	var payload run.PayloadStatus
	if err != nil && !errors.As(err, &payload) {
		c.page.Emit(errorEvent("", err))
	}
	return errors.Join(err, c.page.Close(c.summary))
}

// toFile refuses to write a page to a terminal.
func (c *cli) toFile(cmd *cobra.Command) error {
	if c.html() && run.IsTerminal(os.Stdout) {
		return &run.UsageError{What: "write the page", Fact: "standard output is a terminal, which shows no HTML",
			Advice: "send it to a file and open that in a browser: " + cmd.CommandPath() + " ... --format html > page.html"}
	}
	return nil
}
