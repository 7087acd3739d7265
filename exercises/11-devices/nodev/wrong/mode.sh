# says: permissions are not the reason
nsenter -t {{pid}} -m chmod 777 /mnt/door
