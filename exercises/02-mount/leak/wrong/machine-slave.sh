# says: the machine's side is the slave now
mount --make-slave /mnt/{{name}}
