# says: the first of lowerdir is the topmost
echo "layer: /mnt/$(echo {{order}} | sed 's/.*://')" >answers.txt
