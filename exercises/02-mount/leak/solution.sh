nsenter -t {{pid}} -m mount --make-private /mnt/{{name}}
