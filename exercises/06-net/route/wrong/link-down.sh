# says: the link right was to stay
nsenter -t {{pid}} --net sh -c "ip route replace default via 10.{{left}}.0.1; ip link set right down"
