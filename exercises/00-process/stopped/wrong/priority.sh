# says: a priority is for those that want to run
renice -n 5 -p {{pid}} >/dev/null
