# says: an owner is a user namespace
owner=$(readlink /proc/{{pid}}/ns/uts)
echo "uts: $(readlink /proc/{{pid}}/ns/uts)" >answers.txt
echo "owner: $owner" >>answers.txt
