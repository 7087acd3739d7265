# says: the file says it in bytes
echo "limit: {{mib}}M" >answers.txt
