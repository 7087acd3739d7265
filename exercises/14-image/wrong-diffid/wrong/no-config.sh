# says: something is named that is not there
cd image/blobs/sha256
m=$(grep -o 'sha256:[0-9a-f]*' ../../index.json | cut -c8-)
c=$(grep '"config"' $m | grep -o 'sha256:[0-9a-f]*' | cut -c8-)
set -- $(grep layer.v1 $m | grep -o 'sha256:[0-9a-f]*' | cut -c8-)
first=$(gzip -dc $1 | sha256sum | cut -c1-64); second=$(gzip -dc $2 | sha256sum | cut -c1-64)
printf '{\n"architecture": "amd64",\n"os": "linux",\n"config": {"Cmd": ["sh"]},\n"rootfs": {"type": "layers", "diff_ids": [\n"sha256:%s",\n"sha256:%s"\n]}\n}\n' $first $second >new
mv new $(sha256sum <new | cut -c1-64)
rm $c
