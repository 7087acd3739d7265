! grep -q ' /mnt .* - tmpfs .*size={{kib}}k' /proc/self/mountinfo || umount /mnt
