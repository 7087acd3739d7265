# says: that is the one of your shell
echo "uts: $(readlink /proc/self/ns/uts)" >answers.txt
