package main

import (
	"cmp"
	"encoding/json"
	"os"
	"strings"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/features"
	"cutaway/sandbox/image"
	"cutaway/sandbox/trace"

	"github.com/spf13/cobra"
)

// cli is what the verbs share: the flags that every verb has, and the ways from
// them to the packages below.
type cli struct {
	state   string
	color   string
	format  string                      // text, json or html, of the verbs that have it
	formats map[*cobra.Command][]string // the words that each of those knows

	page     *trace.HTML    // with --format html, once there is something to show
	summary  *trace.Summary // of a tour, for the page
	patience *run.Patience  // with a payload, after a signal
	unended  bool           // the last line on a terminal is one of transient's
}

// command builds the tree of verbs.
func (c *cli) command() *cobra.Command {
	root := c.root()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Version = version
	run.State(root.PersistentFlags(), &c.state)
	root.PersistentFlags().StringVar(&c.color, "color", "auto", "colour: `auto`, always or never")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return c.check(cmd) }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Fact: err.Error(), Path: cmd.CommandPath()}
	})
	root.AddCommand(c.tour(), c.stage(), c.run(), c.pull(), c.ps(), c.top(), c.logs(), c.stop(), c.images(), c.rmi(), c.load(), c.save(),
		c.lesson(), c.exercise(), c.explain(), c.inspect(), c.diff(), c.compare(), c.doctor(), c.clean(), c.vm())
	return root
}

// check looks at the flags that take one of a few words.
func (c *cli) check(cmd *cobra.Command) error {
	if err := oneOf(cmd, "color", c.color, "auto", "always", "never"); err != nil {
		return err
	}
	if words, known := c.formats[cmd]; known {
		return oneOf(cmd, "format", c.format, words...)
	}
	return nil
}

// formatFlag gives a verb the flag --format.
func (c *cli) formatFlag(cmd *cobra.Command) {
	c.formatWords(cmd, "`text` for people, json for programs", "text", "json")
}

// pageFlag is formatFlag for a verb that can also write a page.
func (c *cli) pageFlag(cmd *cobra.Command) {
	c.formatWords(cmd, "`text` for people, json for programs, html for a page in a browser", "text", "json", "html")
}

func (c *cli) formatWords(cmd *cobra.Command, usage string, words ...string) {
	cmd.Flags().StringVar(&c.format, "format", "text", usage)
	complete(cmd, "format", words...)
	if c.formats == nil {
		c.formats = map[*cobra.Command][]string{}
	}
	c.formats[cmd] = words
}

// complete has the shell offer these words for a flag.
func complete(cmd *cobra.Command, flag string, words ...string) {
	// It can fail only for a flag that is not there, which a test would notice.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

func (c *cli) json() bool { return c.format == "json" }
func (c *cli) html() bool { return c.format == "html" }

// asks reports whether a person may be asked something, and see anything beside
// the events on standard output.
func (c *cli) asks() bool { return !c.json() && !c.html() }

// lab opens the lab; it cleans up after killed runs on the way.
func (c *cli) lab() (*sandbox.Lab, error) {
	l, err := sandbox.New(c.state)
	if err == nil {
		l.Aside = cmp.Or(os.Getenv(fromOutside), "sudo")
	}
	return l, err
}

// store opens the image store of the lab.
func store(l *sandbox.Lab) (*image.Store, error) { return image.Open(l.Dirs.Images()) }

// text is how output to f is laid out.
func (c *cli) text(f *os.File) trace.TextOptions {
	o := trace.Detect(f)
	switch c.color {
	case "always":
		o.Color = true
	case "never":
		o.Color = false
	}
	return o
}

// sink renders events on standard output; call err at the end.
func (c *cli) sink(f features.Features) (s trace.Sink, err func() error) {
	switch {
	case c.html():
		return c.newPage(f), func() error { return nil }
	case c.json():
		j := trace.NewJSON(os.Stdout)
		return j, j.Err
	}
	t := trace.NewText(os.Stdout, c.text(os.Stdout))
	return t, t.Err
}

// writeJSON writes one value as a line of JSON.
func writeJSON(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func oneOf(cmd *cobra.Command, flag, value string, words ...string) error {
	for _, w := range words {
		if value == w {
			return nil
		}
	}
	known := strings.TrimPrefix(strings.Join(words, ", "), ", ")
	return &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Fact: "--" + flag + "=" + value + " is none of " + known, Path: cmd.CommandPath()}
}
