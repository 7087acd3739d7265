s=/proc/{{pid}}/status
names="CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE"
mask=$((0x$(sed -n 's/^CapEff:[[:space:]]*//p' $s)))
{
	sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/uid: \1/p; s/^Seccomp_filters:[[:space:]]*/filters: /p' $s
	for name in $names; do
		[ $((mask & 1)) = 0 ] || echo "can: CAP_$name"
		mask=$((mask >> 1))
	done
	if grep -q '^NoNewPrivs:.*1' $s; then echo "promise: yes"; else echo "promise: no"; fi
} >answers.txt
