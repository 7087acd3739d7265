# says: the machine has it as well
mount -t tmpfs -o size={{kib}}k tmpfs /mnt
unshare --mount sleep {{seconds}} >/dev/null 2>&1 &
