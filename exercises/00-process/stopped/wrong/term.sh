# says: the signal waits
kill -TERM {{pid}}
