mkdir -p /mnt/{{name}}
mount --bind /mnt/{{name}} /mnt/{{name}}
mount --make-shared /mnt/{{name}}
unshare --mount --propagation shared sleep {{seconds}} </dev/null >/dev/null 2>&1 &
