# says: all of /proc is read-only now
nsenter -t {{pid}} -m -p mount --bind /dev/null /proc/interrupts
nsenter -t {{pid}} -m -p mount --bind /proc /proc
nsenter -t {{pid}} -m -p mount --bind /dev/null /proc/interrupts
nsenter -t {{pid}} -m -p mount -o remount,bind,ro /proc
