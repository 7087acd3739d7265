# says: it was started outside
sleep {{seconds}} >/dev/null 2>&1 &
