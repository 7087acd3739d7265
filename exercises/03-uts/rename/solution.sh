unshare --uts sh -c 'hostname {{name}}; exec sleep {{seconds}}' &
