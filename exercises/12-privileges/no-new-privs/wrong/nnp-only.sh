# says: still in the bounding set
setpriv --nnp sleep {{seconds}} >/dev/null 2>&1 &
