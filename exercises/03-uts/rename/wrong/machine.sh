# says: the machine has that name as well
hostname {{name}}
unshare --uts sleep {{seconds}} &
