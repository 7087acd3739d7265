nsenter -t {{pid}} --net ip route replace default via 10.{{left}}.0.1
