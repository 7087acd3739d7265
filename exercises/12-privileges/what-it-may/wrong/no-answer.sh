# says: NoNewPrivs in
printf 'uid: {{uid}}\ncan: CAP_{{cap}}\npromise: 1\n' >answers.txt
