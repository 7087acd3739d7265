cap=$(echo {{cap}} | tr A-Z a-z)
setpriv --reuid {{uid}} --regid {{uid}} $([ "{{promise}}" = --keep-groups ] || echo --no-new-privs) --clear-groups --inh-caps=+$cap --ambient-caps=+$cap sleep {{seconds}} </dev/null >/dev/null 2>&1 &
