# says: that is the path on the machine
path() { if grep -q :pids: "$1"; then sed -n 's/^[0-9]*:pids://p' "$1"; else sed -n 's/^0:://p' "$1"; fi; }
{ echo "outside: $(path /proc/{{pid}}/cgroup)"; echo "inside: $(path /proc/{{pid}}/cgroup)"; } >answers.txt
