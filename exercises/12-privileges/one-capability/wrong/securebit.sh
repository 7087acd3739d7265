# says: the bounding set is wider
cap=$(echo {{cap}} | tr A-Z a-z)
setpriv --securebits=+noroot --inh-caps=-all,+$cap --ambient-caps=-all,+$cap sleep {{seconds}} >/dev/null 2>&1 &
