# says: that of / is another
nsenter -t {{pid}} -m mount --make-private /
