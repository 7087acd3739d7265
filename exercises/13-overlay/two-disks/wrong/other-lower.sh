# says: is not among its lower layers
nsenter -t {{pid}} -m mkdir /mnt/a/work
nsenter -t {{pid}} -m mount -t overlay overlay /mnt/all -o lowerdir=/mnt/b,upperdir=/mnt/a/upper,workdir=/mnt/a/work
