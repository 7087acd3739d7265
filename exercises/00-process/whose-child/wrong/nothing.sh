# says: PPid in /proc/PID/status
echo 'sleep {{seconds}}'
