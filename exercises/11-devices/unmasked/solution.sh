nsenter -t {{pid}} -m -p mount --bind /dev/null /proc/interrupts
nsenter -t {{pid}} -m -p mount --bind /proc/sys /proc/sys
nsenter -t {{pid}} -m -p mount -o remount,bind,ro /proc/sys
