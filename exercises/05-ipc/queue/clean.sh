! grep -q ' /mnt .* - mqueue ' /proc/self/mountinfo || umount /mnt
