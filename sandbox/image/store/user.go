package store

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// User is who a container runs as, by the image's own passwd(5) and group(5).
type User struct {
	UID, GID int
	Groups   []int  // supplementary
	Home     string // "" if the image does not know the user
}

// UserError says that an image does not know a user or a group.
type UserError struct{ Kind, Name, File string }

func (e *UserError) Error() string {
	return fmt.Sprintf("find %s %q: the image's /%s has none of that name", e.Kind, e.Name, e.File)
}

// Hint says what always works.
func (e *UserError) Hint() string {
	if e.Name != "" && strings.Trim(e.Name, "0123456789") == "" {
		return "as a number it is too large"
	}
	return "a number needs no entry: --user 1000:1000"
}

const passwdFile, groupFile = "etc/passwd", "etc/group"

// FindUser resolves user[:group], names or numbers, in the layers of an image,
// topmost first: image-spec config.md, "User". A number need not be known; its
// group is then 0. "" is root.
func FindUser(lowers []string, user string) (User, error) {
	name, group, grouped := strings.Cut(user, ":")
	if name == "" {
		name = "0"
	}
	passwd, err := accounts(lowers, passwdFile, 7)
	if err != nil {
		return User{}, err
	}
	groups, err := accounts(lowers, groupFile, 4)
	if err != nil {
		return User{}, err
	}
	var u User
	entry := account(passwd, name)
	switch {
	case entry != nil:
		name, u.Home = entry[0], entry[5]
		u.UID, err = id("user", entry[2], passwdFile)
		if err == nil {
			u.GID, err = id("group", entry[3], passwdFile)
		}
	default:
		u.UID, err = id("user", name, passwdFile)
	}
	if err != nil {
		return User{}, err
	}
	if grouped { // the only one then, as docker has it
		if entry := account(groups, group); entry != nil {
			group = entry[2]
		}
		u.GID, err = id("group", group, groupFile)
		return u, err
	}
	for _, g := range groups {
		if gid, err := strconv.Atoi(g[2]); err == nil && gid != u.GID && slices.Contains(strings.Split(g[3], ","), name) {
			u.Groups = append(u.Groups, gid)
		}
	}
	return u, nil
}

// account gives the entry with this name, or else the first with this number.
func account(accounts [][]string, name string) []string {
	for _, field := range []int{0, 2} {
		for _, e := range accounts {
			if e[field] == name {
				return e
			}
		}
	}
	return nil
}

// id reads a user's or group's number.
func id(kind, text, file string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, &UserError{Kind: kind, Name: text, File: file}
	}
	return int(n), nil
}

// maxAccounts bounds what is read of a file that an image brings, in bytes.
const maxAccounts = 1 << 20

// accounts reads the lines of a file of the image that have n fields between
// colons. A file that no layer has, has none.
func accounts(lowers []string, name string, n int) ([][]string, error) {
	path, err := Lookup(lowers, name)
	if err != nil || path == "" {
		return nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	// A link would lead into the host's files.
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read the image's /%s: it is no ordinary file", name)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the image's /%s: %w", name, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAccounts))
	if err != nil {
		return nil, fmt.Errorf("read the image's /%s: %w", name, err)
	}
	var found [][]string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) >= n {
			found = append(found, fields)
		}
	}
	return found, nil
}
