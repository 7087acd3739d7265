# says: no gateway is named
nsenter -t {{pid}} --net ip route replace default dev left
