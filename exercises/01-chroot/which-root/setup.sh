mkdir -p {{dir}}/bin
cp /bin/busybox {{dir}}/bin/busybox
ln -sf busybox {{dir}}/bin/sh
nsenter -r"$PWD/{{dir}}" -w"$PWD/{{dir}}/bin" /bin/busybox sleep {{seconds}} </dev/null >/dev/null 2>&1 &
