# says: that is the mask
sed -n 's/^CapEff:[[:space:]]*/can: /p' /proc/{{pid}}/status >answers.txt
echo "uid: {{uid}}" >>answers.txt
