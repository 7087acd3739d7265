# says: in bytes
{ sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/uid: \1/p' /proc/{{pid}}/status; echo "memory: {{mib}}m"; } >answers.txt
