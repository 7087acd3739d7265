# says: PPid in /proc/PID/status
printf 'parent: 0\nuts: uts:[1]\ncwd: /x\n' >answers.txt
