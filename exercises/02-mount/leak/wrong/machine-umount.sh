# says: the machine's was taken away
umount /mnt/{{name}}
