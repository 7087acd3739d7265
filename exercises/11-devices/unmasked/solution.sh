nsenter -t {{pid}} -m mount --bind /dev/null /proc/interrupts
nsenter -t {{pid}} -m mount --bind /proc/sys /proc/sys
nsenter -t {{pid}} -m mount -o remount,bind,ro /proc/sys
