# says: the file is in the other
cd image/blobs/sha256
m=$(grep -o 'sha256:[0-9a-f]*' ../../index.json | cut -c8-)
{
	echo "config: $(grep '"config"' $m | grep -o 'sha256:[0-9a-f]*')"
	echo "layer: $(grep layer.v1 $m | tail -n 1 | grep -o 'sha256:[0-9a-f]*')"
} >../../../answers.txt
