# says: nothing has gone from the lower layers
printf 'layer: /mnt/%s\ndeleted: 0\n' $(echo {{order}} | sed 's/:.*//') >answers.txt
