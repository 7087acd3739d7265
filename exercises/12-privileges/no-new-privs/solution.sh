setpriv --nnp --bounding-set -net_raw sleep {{seconds}} >/dev/null 2>&1 &
