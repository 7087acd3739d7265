unshare --mount sh -c 'mount -t tmpfs -o nosuid,{{option}} tmpfs /mnt && mknod -m 666 /mnt/{{disk}}{{seconds}} c 1 {{minor}} && exec sleep {{seconds}}' </dev/null >/dev/null 2>&1 &
