unshare --net sleep {{seconds}} </dev/null >/dev/null 2>&1 &
until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
nsenter -t $! --net sh -ec '
	ip link add left type bridge
	ip link add right type bridge
	ip addr add 10.{{left}}.0.2/24 dev left
	ip addr add 10.{{right}}.0.2/24 dev right
	ip link set left up
	ip link set right up
	ip route add default via 10.{{right}}.0.1'
