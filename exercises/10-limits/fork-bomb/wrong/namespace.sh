# says: a PID namespace numbers processes
unshare --pid --fork sleep {{seconds}} >/dev/null 2>&1 &
