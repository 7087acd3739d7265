cat >run.sh <<'END'
unshare $(echo "--mount --uts --ipc --net --pid --fork --mount-proc" | sed "s/{{missing}}//") sleep {{seconds}} </dev/null >/dev/null 2>&1 &
END
sh run.sh
