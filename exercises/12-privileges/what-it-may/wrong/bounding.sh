# says: CapEff is what counts now
printf 'uid: {{uid}}\ncan: all\n' >answers.txt
