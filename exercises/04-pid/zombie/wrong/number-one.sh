# says: it was there and has ended
kill -KILL "$(sed -n 's/^PPid:[[:space:]]*//p' /proc/{{pid}}/status)"
