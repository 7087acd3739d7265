# says: uptime is the machine's plus the offset
nsenter -t {{pid}} -T sed 's/^\([0-9]*\).*/boottime: \1/' /proc/uptime >answers.txt
