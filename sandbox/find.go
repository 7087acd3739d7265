package sandbox

import (
	"fmt"
	"os"
	"strconv"
)

// NoProcessError says that a word names neither a process nor a container.
type NoProcessError struct{ Word, Fact string }

// Error names the word.
func (e *NoProcessError) Error() string { return fmt.Sprintf("find process %s: %s", e.Word, e.Fact) }

// Hint says what would.
func (e *NoProcessError) Hint() string {
	return "want a number from ps, or the id or name of a running container: cutaway ps lists them"
}

// Process gives the pid that a person means: that of a container by its id, the
// beginning of it or its name, or any other process by its number. A number
// that is both is the container's only when it is its whole id.
func (l *Lab) Process(word string) (int, error) {
	record, err := l.Find(word)
	pid, notNumber := strconv.Atoi(word)
	if err == nil && (notNumber != nil || record.ID == word || record.Name == word) {
		if record.PID == 0 {
			return 0, &NoProcessError{word, "the container has no process yet, or any more"}
		}
		return record.PID, nil
	}
	if notNumber != nil || pid <= 0 {
		return 0, &NoProcessError{word, "it is no pid, and no container is called that"}
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err != nil {
		return 0, &NoProcessError{word, "no process has this pid"}
	}
	return pid, nil
}
