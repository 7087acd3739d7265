g=/sys/fs/cgroup
[ -e $g/cgroup.controllers ] || g=$g/cpu # cgroup v1
if [ -e $g/cgroup.controllers ]; then
	echo "{{percent}}000 100000" >$g/ex{{seconds}}/cpu.max
else
	echo {{percent}}000 >$g/ex{{seconds}}/cpu.cfs_quota_us
fi
