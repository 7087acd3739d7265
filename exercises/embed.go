// Package exercises holds tasks whose results are checked in the kernel, and the
// checker.
//
// Its one invariant: what a learner types or prints decides nothing. A check
// reads facts back from the kernel (package inspect), for a process that only
// this attempt's numbers can name, and then tries the thing out.
//
// An exercise is a directory STAGE/NAME:
//
//	exercise.json  what is drawn for an attempt, what is checked (exercise.go)
//	task.md        what to do; {{name}} stands for what was drawn
//	hints.md       a ladder, from the first nudge on; --- between the rungs
//	setup.sh       makes what the learner finds: something broken, something to read
//	clean.sh       takes away what outlives the processes, also of wrong attempts
//	solution.sh    how it is done
//	wrong/*.sh     mistakes, each with the diagnosis it must get in a first line
//	               "# says: ..."
//
// Where a program is to be written, start/main.go is what there is of it, and
// solution/main.go and wrong/*.go take the place of scripts.
//
// Read 03-uts/rename, then exercise.go, facts.go, check.go, attempt.go,
// program.go, and verify.go, which proves of each that it works.
package exercises

import "embed"

//go:embed all:*-*
var files embed.FS
