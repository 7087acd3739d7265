# says: not the one in which the UTS namespace was made
its=$(readlink /proc/{{pid}}/ns/user)
machine=$(readlink /proc/self/ns/user)
if nsenter -t {{pid}} --user --uts hostname x 2>/dev/null; then owner=$machine; else owner=$its; fi
echo "uts: $(readlink /proc/{{pid}}/ns/uts)" >answers.txt
echo "owner: $owner" >>answers.txt
