# says: nothing was taken
cap=$(echo {{cap}} | tr A-Z a-z)
setpriv --inh-caps=-all,+$cap sleep {{seconds}} >/dev/null 2>&1 &
