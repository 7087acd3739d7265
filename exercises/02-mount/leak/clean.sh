while umount /mnt/{{name}} 2>/dev/null; do :; done
[ ! -d /mnt/{{name}} ] || rmdir /mnt/{{name}}
