// Package lessons holds the course's texts, one Markdown file for each stage,
// and what shows them: in the terminal, as a page, as slides.
//
// Its one invariant: a lesson is data. What it plays it names ("play: stage
// uts"), what it quotes was printed by the command it names, and what it says of
// the code it says by symbol; tests hold all three. Read 03-uts.md, then
// lesson.go (what a lesson consists of), player.go (how it is played), text.go
// and page.go (how it looks).
package lessons

import "embed"

//go:embed *.md
var files embed.FS
