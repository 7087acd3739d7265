unshare --time --fork --boottime {{boot}} --monotonic {{mono}} sleep {{seconds}} </dev/null >/dev/null 2>&1 &
