#!/bin/sh
# Packs one archive that a course without network starts from: the program, which
# has its images in it, a kernel for the microVM beside it, what makes other lab
# machines, and the documents.
#
#   vm/kit.sh FILE.tar.gz
#
# The kernel is Debian's, as cutaway fetches it into its cache; it lies in
# bin/kernels as it does there, where bin/cutaway looks first. CUTAWAY_KERNEL
# names another series than 6.12. Exit status: 0 done, 1 could not, 2 usage.
set -eu

[ $# = 1 ] || { echo "usage: kit.sh FILE.tar.gz" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
series=${CUTAWAY_KERNEL:-6.12}
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*) echo "kit: no kernel for $(uname -m)" >&2; exit 1 ;;
esac

# A kernel that has come up once is one that will.
"$root/bin/cutaway" vm run --kernel "$series" -- true
kernel=$(readlink -f "${XDG_CACHE_HOME:-$HOME/.cache}/cutaway/kernels/$series-$arch")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kit=$work/cutaway-kit
mkdir -p "$kit/bin/kernels" "$kit/vm" "$kit/docs"
cp "$root/bin/cutaway" "$kit/bin/"
cp -r "$kernel" "$kit/bin/kernels/"
ln -s "${kernel##*/}" "$kit/bin/kernels/chosen-$arch"
cp "$root/vm/provision.sh" "$root/vm/packages.sh" "$root/vm/lima.yaml" "$kit/vm/"
cp "$root"/docs/*.md "$kit/docs/"
cp "$root/Vagrantfile" "$root/README.md" "$root/LICENSE" "$root/NOTICE" "$kit/"
cp "$root/vm/kit.md" "$kit/START.md"
tar -C "$work" --owner=0 --group=0 -czf "$1" cutaway-kit
echo "$1: $(($(wc -c <"$1") / 1048576)) MB, Linux ${kernel##*/}"
