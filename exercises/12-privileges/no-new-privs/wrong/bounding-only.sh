# says: a setuid program would still
setpriv --bounding-set -net_raw sleep {{seconds}} >/dev/null 2>&1 &
