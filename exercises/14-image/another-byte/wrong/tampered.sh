# says: the digest of something else
for b in image/blobs/sha256/*; do
	[ "$(sha256sum <$b | cut -c1-64)" = ${b##*/} ] || cp spare/a $b
done
