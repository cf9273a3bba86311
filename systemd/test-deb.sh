#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-deb.sh PACKAGE: installs it in a minimal Debian 12 root (debootstrap), runs the programs, removes and purges it.
set -eu
package=$1
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
	echo "deb-test: SKIPPED: needs root and debootstrap" >&2
	exit 0
fi
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
if [ -f build/base.tar ]; then
	tar -C "$root" -xf build/base.tar
	mkdir -p "$root/dev" && mknod -m 666 "$root/dev/null" c 1 3
else
	debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >/dev/null
fi
mount -t proc proc "$root/proc"
cp "$package" "$root/tmp/vcourier.deb"
in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
in_root apt-get -qq update
in_root apt-get -qq install -y --no-install-recommends /tmp/vcourier.deb >"$root/tmp/log" 2>&1 || { cat "$root/tmp/log"; exit 1; }
[ -z "$(in_root dpkg --audit)" ]
for program in vcourier vcourier-collector vcourier-dispatcher; do
	in_root "$program" --version
done
in_root getent group vcourier vcourier-bus >/dev/null
[ "$(in_root stat -c %a:%G /etc/vcourier)" = 750:vcourier ]
printf 'nonsense: 1\n' > "$root/etc/vcourier/config.yaml"
code=0
in_root vcourier-collector 2>/dev/null || code=$?
[ "$code" = 78 ]
in_root dpkg --remove vcourier >/dev/null
[ -e "$root/etc/vcourier/config.yaml" ]
in_root dpkg --purge vcourier >/dev/null
[ ! -e "$root/etc/vcourier" ] && [ ! -e "$root/usr/bin/vcourier" ]
echo "deb-test: passed"
