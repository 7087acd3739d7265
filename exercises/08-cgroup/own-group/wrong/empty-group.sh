# says: nobody has moved it
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/pids # cgroup v1
mkdir $g/ex{{seconds}}
sleep {{seconds}} >/dev/null 2>&1 &
