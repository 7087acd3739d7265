unshare --uts --pid --fork --mount --mount-proc sh -c 'hostname {{name}}; exec sleep {{seconds}}' </dev/null >/dev/null 2>&1 &
