# says: the one with the lower metric counts
nsenter -t {{pid}} --net ip route add default via 10.{{left}}.0.1 metric 100
