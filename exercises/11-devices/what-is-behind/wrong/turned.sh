# says: the major number comes first
echo "number: {{minor}}:1" >answers.txt
