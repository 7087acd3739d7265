package stages

// lookBind shows a directory at a second place, and what it takes to make that
// place read-only: mount(2), "Remounting an existing mount".
func lookBind(l *Look) {
	const view = "/tmp/view"
	l.Note("a bind mount shows a directory, here one with a mount inside, at a second place")
	l.Predict("the next call asks for the second place to be read-only. Is it?")
	l.Inside("mkdir -p /tmp/books/new "+view+"; mount -t tmpfs new /tmp/books/new; probe mount bind,rec,rdonly /tmp/books "+view+"; "+table(view),
		"no: rw. A bind ignores MS_RDONLY, and does not say so",
		func(o Out) bool {
			return inLines(o.Text, "mount(", view+" rw", view+"/new rw") && o.Has("MS_RDONLY, NULL) = 0")
		})
	l.Note("so there has to be a second call: a remount, of this one mount")
	l.Inside("probe mount remount,bind,rdonly "+view+"; "+table(view), "ro; what is mounted below still is rw",
		func(o Out) bool { return inLines(o.Text, "mount(", view+" ro", view+"/new rw") })
	l.Note("the next write fails with EROFS, on purpose")
	l.Inside("touch "+view+"/note; touch /tmp/books/note && ls "+view, "one directory, two mounts: read-only is the mount, not the directory",
		func(o Out) bool { return o.Status == 0 && o.Has("Read-only file system\nnew\nnote") })
	if err := l.Lab.Features.HaveMountSetattr(); err != nil {
		l.Note("not shown: all of a tree at once, because %v", err)
		return
	}
	l.Inside("probe setattr "+view+"; "+table(view), "one call for a mount and all below it",
		func(o Out) bool { return inLines(o.Text, "mount_setattr(", view+" ro", view+"/new ro") })
}
