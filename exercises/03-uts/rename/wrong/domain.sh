# says: that is the domain name
unshare --uts sh -c 'echo {{name}} > /proc/sys/kernel/domainname; exec sleep {{seconds}}' &
