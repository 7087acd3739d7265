# says: it was there and has ended
kill -KILL {{pid}}
