# says: Uid in /proc/PID/status
echo "uid: 0" >answers.txt
