# says: the namespace moves nobody
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/pids # cgroup v1
mkdir $g/ex{{seconds}}
unshare --cgroup sleep {{seconds}} >/dev/null 2>&1 &
