# says: the lower one has it still
cd image/blobs/sha256
m=$(grep -o 'sha256:[0-9a-f]*' ../../index.json | cut -c8-)
l=$(grep layer.v1 $m | head -n 1 | grep -o 'sha256:[0-9a-f]*')
printf 'config: %s\nlayer: %s\ndiffid: sha256:%s\nkey: deleted\n' $(grep '"config"' $m | grep -o 'sha256:[0-9a-f]*') \
	$l $(gzip -dc ${l#sha256:} | sha256sum | cut -c1-64) >../../../answers.txt
