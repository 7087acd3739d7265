# A machine that was renamed gets its name back.
[ "$(cat /proc/sys/kernel/hostname)" != {{name}} ] || cat .hostname >/proc/sys/kernel/hostname
