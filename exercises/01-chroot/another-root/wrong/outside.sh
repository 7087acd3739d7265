# says: its root is still the machine's
test -x /bin/busybox || exit 1
/bin/busybox sleep {{seconds}} >/dev/null 2>&1 &
