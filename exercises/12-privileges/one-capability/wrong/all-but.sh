# says: it lacks what it was to keep
cap=$(echo {{cap}} | tr A-Z a-z)
setpriv --bounding-set=-$cap --inh-caps=-all sleep {{seconds}} >/dev/null 2>&1 &
