# says: that is the namespace of your shell
path() { if grep -q :pids: "$1"; then sed -n 's/^[0-9]*:pids://p' "$1"; else sed -n 's/^0:://p' "$1"; fi; }
{ echo "outside: $(path /proc/{{pid}}/cgroup)"; echo "inside: /{{inner}}"; echo "namespace: $(readlink /proc/self/ns/cgroup)"; } >answers.txt
