cap=$(echo {{cap}} | tr A-Z a-z)
setpriv --bounding-set=-all,+$cap --inh-caps=-all sleep {{seconds}} >/dev/null 2>&1 &
