// Package docs holds the documents that the program itself shows.
package docs

import _ "embed"

// Glossary is docs/glossary.md: tables of words, their meaning, and where to
// read on.
//
//go:embed glossary.md
var Glossary string
