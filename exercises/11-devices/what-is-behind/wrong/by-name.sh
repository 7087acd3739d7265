# says: the name of a node means nothing
printf 'number: 1:{{minor}}\nsame: /dev/{{disk}}\n' >answers.txt
