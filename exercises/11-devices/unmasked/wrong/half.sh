# says: nothing is mounted at /proc/sys
nsenter -t {{pid}} -m mount --bind /dev/null /proc/interrupts
