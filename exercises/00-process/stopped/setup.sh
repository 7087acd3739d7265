sleep {{seconds}} </dev/null >/dev/null 2>&1 &
until grep -q '^sleep' /proc/$!/cmdline; do sleep 0.01; done
kill -STOP $!
until grep -q "^State:.T" /proc/$!/status; do sleep 0.01; done
