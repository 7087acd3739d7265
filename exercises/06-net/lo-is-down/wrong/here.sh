# says: that of the machine is another
ip link set lo up
