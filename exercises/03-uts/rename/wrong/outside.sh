# says: the process was started outside
unshare --uts hostname {{name}}
sleep {{seconds}} &
