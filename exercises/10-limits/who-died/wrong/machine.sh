# says: /proc/meminfo is the machine's
echo "limit: $(sed -n 's/^MemTotal: *//p' /proc/meminfo)" >answers.txt
