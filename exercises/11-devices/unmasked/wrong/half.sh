# says: nothing is mounted at /proc/sys
nsenter -t {{pid}} -m -p mount --bind /dev/null /proc/interrupts
