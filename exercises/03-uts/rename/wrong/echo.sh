# says: the process was started outside
echo {{name}}
sleep {{seconds}} &
