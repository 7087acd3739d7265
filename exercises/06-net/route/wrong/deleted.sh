# says: nothing has come in its place
nsenter -t {{pid}} --net ip route del default
