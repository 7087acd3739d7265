cd image
m=blobs/sha256/$(grep -o 'sha256:[0-9a-f]*' index.json | cut -c8-)
{
	echo "config: $(grep '"config"' $m | grep -o 'sha256:[0-9a-f]*')"
	for l in $(grep layer.v1 $m | grep -o 'sha256:[0-9a-f]*' | cut -c8-); do
		gzip -dc blobs/sha256/$l >archive
		tar -tf archive | grep -q etc/{{file}} || continue
		echo "layer: sha256:$l"
		echo "diffid: sha256:$(sha256sum <archive | cut -c1-64)"
		echo "key: $(tar -xOf archive ./etc/key)"
	done
	rm archive
} >../answers.txt
