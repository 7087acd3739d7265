# says: it is the other one
nsenter -t {{pid}} -m mkdir /mnt/b/upper
nsenter -t {{pid}} -m mount -t overlay overlay /mnt/all -o lowerdir=/mnt/a/lower,upperdir=/mnt/b/upper,workdir=/mnt/b/work
