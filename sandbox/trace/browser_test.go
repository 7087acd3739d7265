package trace

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What somebody does with a page, done by a browser: keys, buttons, links.

// TestInABrowser opens a page of three stages for each of the tests below.
func TestInABrowser(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.html")
	text := written(t, recorded(t), &Summary{Stages: 3, Steps: 20, Kinds: 24, Compared: 9, HostClean: true})
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	b := startBrowser(t)
	for name, test := range map[string]func(t *testing.T, b *browser, page string){
		"arrow keys": arrowKeys, "keyboard alone": keyboardAlone, "links lead to steps": linksLeadToSteps,
		"without script": withoutScript, "read aloud": readAloud, "narrow and printed": narrowAndPrinted,
		"schemes and silence": schemesAndSilence,
	} {
		t.Run(name, func(t *testing.T) {
			b.begin(t)
			b.width(1280)
			b.open("file://" + file)
			test(t, b, "file://"+file)
		})
	}
}

const (
	// visible are the names of the frames that can be seen.
	visible = `[...document.querySelectorAll(".frame")].filter(f => f.offsetHeight > 0).map(f => f.id).join(" ")`
	focused = `document.activeElement.textContent.trim().replace(/\s+/g, " ")`
	frames  = `document.querySelectorAll(".frame").length`
)

// The arrow keys go from step to step; the heading of the step has the focus, and
// a status line says in words where this is and what is new.
func arrowKeys(t *testing.T, b *browser, _ string) {
	require.Equal(t, "03-uts-0", b.text(visible))
	b.press("ArrowLeft")
	require.Equal(t, "03-uts-0", b.text(visible), "there is nothing before the beginning")
	b.press("ArrowRight")
	require.Equal(t, "03-uts-1", b.text(visible))
	require.Equal(t, "Step 1 of 3 unshare", b.text(focused))
	require.Equal(t, "#03-uts-1", b.text("location.hash"))
	status := b.text(`document.querySelector("[role=status]").textContent`)
	require.Contains(t, status, "2 of ")
	require.Contains(t, status, "Step 1 of 3 unshare; new: 1 UTS namespace; changed: 1 process")
	require.Equal(t, "1 unshare", b.text(`document.querySelector("nav [aria-current]").textContent`))
	require.NotEqual(t, "none", b.text(`getComputedStyle(document.activeElement).outlineStyle`), "the focus can be seen")
	b.press("ArrowRight")
	require.Equal(t, "03-uts-2", b.text(visible))
	b.press("ArrowLeft")
	require.Equal(t, "03-uts-1", b.text(visible))
	for range int(b.number(frames)) {
		b.press("ArrowRight")
	}
	require.Equal(t, "end", b.text(visible))
	require.Contains(t, b.text(`document.querySelector("#end").textContent`), "host before = host after: yes")
}

// Whatever can be clicked can be reached and used by Tab and Enter.
func keyboardAlone(t *testing.T, b *browser, _ string) {
	var reached []string
	for range 5 {
		b.press("Tab")
		reached = append(reached, b.text(focused))
	}
	// Previous cannot be used at the beginning, and so is passed over.
	require.Equal(t, []string{"Skip to the steps", "Show all", "Next →", "Stages and steps", "03-uts"}, reached)
	b.text(`document.querySelector("#next").focus()`)
	b.press("Enter")
	b.press("Enter")
	require.Equal(t, "03-uts-2", b.text(visible))
	require.Equal(t, "Next →", b.text(focused), "to be pressed again")
	b.text(`document.querySelector("#all").focus()`)
	b.press("Enter")
	require.Len(t, strings.Fields(b.text(visible)), int(b.number(frames)))
	require.Equal(t, "true", b.text(`document.querySelector("#all").getAttribute("aria-pressed")`))
	b.press("Enter")
	require.Equal(t, "03-uts-2", b.text(visible))
}

// The list of steps, and an address that names one, lead there.
func linksLeadToSteps(t *testing.T, b *browser, page string) {
	b.text(`document.querySelector("nav a[href='#06-net-4']").click()`)
	b.until(visible, "06-net-4")
	require.Contains(t, b.text(focused), "Step 4 of")
	require.Equal(t, "true", b.text(`String(document.querySelector("nav [aria-current]").closest("details").open)`))
	b.open("about:blank")
	b.open(page + "#15-container-2")
	b.until(visible, "15-container-2")
	b.open("about:blank")
	b.open(page + "#06-net")
	b.until(visible, "06-net-0")
}

// Without the script every step is there, one below the other.
func withoutScript(t *testing.T, b *browser, page string) {
	all := b.number(frames)
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
	b.open(page)
	seen, buttons := 0, 0
	for _, node := range b.readAloud() {
		switch {
		case node.Role.Value == "heading" && node.level() == 3:
			seen++
		case node.Role.Value == "button":
			buttons++
		}
	}
	require.EqualValues(t, all, seen)
	require.Zero(t, buttons, "what would do nothing is not there")
}

// A screen reader finds landmarks, headings and the words of each picture.
func readAloud(t *testing.T, b *browser, _ string) {
	b.press("ArrowRight")
	roles, words := map[string]int{}, ""
	for _, node := range b.readAloud() {
		roles[node.Role.Value]++
		words += node.Name.Value + "\n"
	}
	for _, role := range []string{"banner", "main", "navigation", "contentinfo", "status", "figure", "article"} {
		require.Equal(t, 1, roles[role], role)
	}
	for _, want := range []string{"Stages and steps", "What there is now", "new: ", "UTS namespace",
		"2 namespaces of its own: mount, UTS; 6 shared with the host"} {
		require.Contains(t, words, want)
	}
	require.NotContains(t, words, `setdomainname("lab"`, "the other steps are not read")
}

// Nothing is wider than a telephone; on paper there is all of it, and what only a
// screen can use is not.
func narrowAndPrinted(t *testing.T, b *browser, page string) {
	b.width(400)
	b.open("about:blank")
	b.open(page)
	b.text(`document.querySelector("#all").click()`)
	require.Zero(t, b.number(`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	require.Equal(t, "", b.text(`[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > 400 && !e.closest(".unseen")).map(e => e.className).join()`))
	b.text(`document.querySelector("#all").click()`)
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "print"})
	require.Len(t, strings.Fields(b.text(visible)), int(b.number(frames)))
	require.Equal(t, "none none", b.text(`[".bar", "nav"].map(s => getComputedStyle(document.querySelector(s)).display).join(" ")`))
}

// The page follows the scheme that the reader has chosen, fetches nothing, and
// breaks none of the rules it has set itself.
func schemesAndSilence(t *testing.T, b *browser, _ string) {
	scheme := func(name string) string {
		b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": name}}})
		return b.text(`getComputedStyle(document.body).backgroundColor`)
	}
	require.Equal(t, "rgb(251, 250, 247)", scheme("light"))
	require.Equal(t, "rgb(22, 24, 27)", scheme("dark"))
	require.Len(t, b.requests, 1, "the page itself")
	require.Empty(t, b.complaints)
}
