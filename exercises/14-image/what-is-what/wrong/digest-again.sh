# says: that is the digest of the compressed blob again
cd image/blobs/sha256
m=$(grep -o 'sha256:[0-9a-f]*' ../../index.json | cut -c8-)
l=$(grep layer.v1 $m | head -n 1 | grep -o 'sha256:[0-9a-f]*')
printf 'config: %s\nlayer: %s\ndiffid: %s\n' $(grep '"config"' $m | grep -o 'sha256:[0-9a-f]*') $l $l >../../../answers.txt
