package script

import (
	"fmt"
	"strings"

	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"
)

// scriptHead begins every script.
const scriptHead = `#!/bin/sh
# %s
# Written by cutaway for this machine: run it as root, here. Every command has
# the reason why it comes now. When it ends, it takes back what it made.
set -eu

D=$(mktemp -d)
undo="rm -rf $D"
trap 'set +e; eval "$undo"' EXIT
trap 'exit 130' INT TERM

`

// scriptMeeting runs the outer shell beside this one, which waits for what the
// inner one says: "waiting", or by the hand of the second shell "gone".
const scriptMeeting = `chmod 711 "$D"; chmod 644 "$D/inner"
mkfifo -m 666 "$D/ready" "$D/go"
exec 3<&0 5<> "$D/ready"
undo="[ ! -s $D/pid ] || kill -KILL \$(cat $D/pid) 2> /dev/null
$undo"
( sh "$D/outer" "$D" "${PID-}" <&3 && status=0 || status=$?; echo $status > "$D/status"; echo gone > "$D/ready" ) &
waiting=$!

`

// assemble puts the parts in their order: the two inner scripts first, as text.
func (w *writer) assemble(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, scriptHead, title)
	b.WriteString("# ---- on this machine\n\n" + w.host.String())
	b.WriteString("# ---- inside: what becomes the payload\n\ncat > \"$D/inner\" <<'INNER'\nset -eu\nD=$1\nset --\n\n")
	b.WriteString(strings.TrimRight(w.inner.String(), "\n") + "\nINNER\n\n")
	b.WriteString("# ---- on the way in\n\ncat > \"$D/outer\" <<'OUTER'\nset -eu\nD=$1 PID=$2\n" + w.outer.String())
	b.WriteString("echo $$ > \"$D/pid\"\nexec " + w.launch() + "sh \"$D/inner\" \"$D\"\nOUTER\n\n")
	if w.met == 0 {
		b.WriteString("chmod 711 \"$D\"; chmod 644 \"$D/inner\"\nsh \"$D/outer\" \"$D\" \"${PID-}\"\n")
		return b.String()
	}
	b.WriteString(scriptMeeting)
	meets := w.meets.String()
	first, rest, _ := strings.Cut(meets, "\n")
	b.WriteString(first + "\n# unshare's child is the one inside\nread -r outer < \"$D/pid\"\nPID=$(cat /proc/$outer/task/$outer/children)\nPID=${PID%% *}\n\n" + rest)
	b.WriteString("wait $waiting\nread -r status < \"$D/status\"\nexit $status\n")
	return b.String()
}

// launch is the one command that makes all namespaces.
func (w *writer) launch() string {
	words := ""
	if w.user {
		words = "nsenter --user=/proc/$PID/ns/user --setuid 0 --setgid 0 "
	}
	if w.flags == 0 {
		return words
	}
	words += op.Unshare{Flags: w.flags}.Shell() + w.clocks
	if w.flags&sys.NewNS != 0 {
		words += " --propagation unchanged"
	}
	return words + " --fork --kill-child "
}
