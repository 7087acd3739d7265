# says: a file is copied up whole
printf 'layer: /mnt/%s\ndeleted: {{deleted}}\ncost: 1\n' $(echo {{order}} | sed 's/:.*//') >answers.txt
