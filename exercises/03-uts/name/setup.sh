cat /proc/sys/kernel/hostname >.hostname
