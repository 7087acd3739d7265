# says: that is another user
setpriv --reuid 65534 --clear-groups --inh-caps=-all sleep {{seconds}} >/dev/null 2>&1 &
