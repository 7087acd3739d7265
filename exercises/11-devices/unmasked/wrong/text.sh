# says: a text of its own
nsenter -t {{pid}} -m -p mount --bind /etc/passwd /proc/interrupts
