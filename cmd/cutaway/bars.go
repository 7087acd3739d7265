package main

import (
	"io"
	"strings"
	"sync"

	"cutaway/sandbox/image"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bars draws a progress bar for each layer on its way.
type bars struct {
	all *mpb.Progress
	mu  sync.Mutex // guards one: layers come on several goroutines
	one map[string]*mpb.Bar
}

func newBars(w io.Writer) *bars {
	return &bars{all: mpb.New(mpb.WithOutput(w), mpb.WithWidth(78)), one: map[string]*mpb.Bar{}}
}

// progress is an image.PullOptions.Progress.
func (b *bars) progress(p image.Progress) {
	b.mu.Lock()
	bar := b.one[p.Digest]
	if bar == nil {
		_, hex, _ := strings.Cut(p.Digest, ":")
		name := hex[:min(12, len(hex))]
		bar = b.all.AddBar(p.Total, mpb.PrependDecorators(decor.Name("layer "+name+" ")),
			mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")))
		b.one[p.Digest] = bar
	}
	b.mu.Unlock()
	bar.SetCurrent(p.Done)
}

// wait leaves the bars as they ended; those of a failed pull stop where they are.
func (b *bars) wait(err error) {
	if err != nil {
		for _, bar := range b.one {
			bar.Abort(false)
		}
	}
	b.all.Wait()
}
