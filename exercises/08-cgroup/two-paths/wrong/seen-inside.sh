# says: that is what the process itself reads
echo 'outside: /{{inner}}' >answers.txt
