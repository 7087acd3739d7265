# says: a new name does not make it the old blob
for b in image/blobs/sha256/*; do
	d=$(sha256sum <$b | cut -c1-64)
	[ $d = ${b##*/} ] || mv $b image/blobs/sha256/$d
done
