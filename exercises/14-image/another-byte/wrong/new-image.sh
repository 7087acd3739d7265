# says: the index has changed
for b in image/blobs/sha256/*; do
	d=$(sha256sum <$b | cut -c1-64)
	[ $d = ${b##*/} ] || { old=${b##*/}; new=$d; mv $b image/blobs/sha256/$d; }
done
m=$(grep -o 'sha256:[0-9a-f]*' image/index.json | cut -c8-)
sed -i s/$old/$new/ image/blobs/sha256/$m
d=$(sha256sum <image/blobs/sha256/$m | cut -c1-64)
mv image/blobs/sha256/$m image/blobs/sha256/$d
sed -i s/$m/$d/ image/index.json
