# Not below /tmp, which may be a small tmpfs.
cutaway run --in host --detach --net none --name ex{{seconds}} --memory {{mib}}m --user {{uid}} \
	--security-opt no-new-privileges={{nnp}} built-in sleep {{seconds}} </dev/null >/dev/null
