# says: that is what it is inside
echo "uid: {{uid}}" >answers.txt
