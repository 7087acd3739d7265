nsenter -t {{pid}} -m mkdir /mnt/a/work
nsenter -t {{pid}} -m mount -t overlay overlay /mnt/all -o lowerdir=/mnt/a/lower,upperdir=/mnt/a/upper,workdir=/mnt/a/work
