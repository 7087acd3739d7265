digest() { sha256sum <"$1" | cut -c1-64; }
size() { wc -c <"$1" | tr -d ' '; }
keep() { mv "$1" "image/blobs/sha256/$(digest "$1")"; }
entry() { printf '{"mediaType": "application/vnd.oci.image.%s", "digest": "sha256:%s", "size": %s}' "$1" "$(digest "$2")" "$(size "$2")"; }

mkdir -p image/blobs/sha256 1/etc 2/etc
echo {{word}} >1/etc/key; echo {{seconds}} >1/etc/{{file}}
echo two >2/etc/other; : >2/etc/.wh.key
for n in 1 2; do
	tar -C $n -cf $n.tar .
	gzip -c $n.tar >$n.tgz
done
first=$(digest 1.tar); second=$(digest 2.tar)
printf '{\n"architecture": "amd64",\n"os": "linux",\n"config": {"Cmd": ["sh"]},\n"rootfs": {"type": "layers", "diff_ids": [\n"sha256:%s",\n"sha256:%s"\n]}\n}\n' $first $second >config
{
	printf '{\n"schemaVersion": 2,\n"mediaType": "application/vnd.oci.image.manifest.v1+json",\n"config": %s,\n"layers": [\n' "$(entry config.v1+json config)"
	printf '%s,\n%s\n]\n}\n' "$(entry layer.v1.tar+gzip 1.tgz)" "$(entry layer.v1.tar+gzip 2.tgz)"
} >manifest
printf '{"schemaVersion": 2, "manifests": [%s]}\n' "$(entry manifest.v1+json manifest)" >image/index.json
echo '{"imageLayoutVersion": "1.0.0"}' >image/oci-layout
for f in 1.tgz 2.tgz config manifest; do keep $f; done
rm -r 1 2 1.tar 2.tar
cd image && sleep {{seconds}} </dev/null >/dev/null 2>&1 &
