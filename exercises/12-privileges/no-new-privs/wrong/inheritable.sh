# says: still in the bounding set
setpriv --nnp --inh-caps -net_raw sleep {{seconds}} >/dev/null 2>&1 &
