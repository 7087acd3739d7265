# says: a smaller weight is a smaller share
g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/cpu # cgroup v1
if [ -e $g/cgroup.controllers ]; then echo 1 >$g/ex{{seconds}}/cpu.weight; else echo 2 >$g/ex{{seconds}}/cpu.shares; fi
