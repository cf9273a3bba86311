#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image.sh ROOT PROGRAM...: creates a root file system with these programs, the libraries that they load, the certificate authorities and a user; no shell.
# LIST: prints what a program loads, as ldd does; for the programs of another architecture.
# Keeps for each package that files came from its licence, and dpkg's record, which vulnerability scanners read after /etc/os-release.
set -eu
root=$1
shift
mkdir -p "$root/bin" "$root/etc/ssl/certs" "$root/var/lib/dpkg/status.d" "$root/tmp"
chmod 1777 "$root/tmp"
echo 'vcourier:x:65532:65532:vcourier:/:/nonexistent' > "$root/etc/passwd"
echo 'vcourier:x:65532:' > "$root/etc/group"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp -L /etc/os-release /etc/debian_version "$root/etc/"
cp "$@" "$root/bin/"
packages=$(for program in "$@"; do
	${LIST:-ldd} "$program" 2>/dev/null | grep -o '/[^ ]*' || true
done | sort -u | while read -r library; do
	mkdir -p "$root$(dirname "$library")"
	cp -L "$library" "$root$library"
	file=$(readlink -f "$library")
	# Debian 12's packages name some files below /lib, which is a link to /usr/lib.
	{ dpkg-query -S "$file" || dpkg-query -S "${file#/usr}"; } 2>/dev/null | sed 's/: .*//; s/,.*//' | head -1
done | sort -u)
for package in $packages base-files ca-certificates; do
	name=${package%:*}
	dpkg-query -s "$package" > "$root/var/lib/dpkg/status.d/$name"
	mkdir -p "$root/usr/share/doc/$name"
	cp -L "/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/"
done
mkdir -p "$root/usr/share/doc/vcourier" "$root/usr/share/common-licenses"
cp "$(dirname "$0")/../LICENSE" "$root/usr/share/doc/vcourier/"
# Debian's copyright files refer to these for the full text.
cat "$root"/usr/share/doc/*/copyright | grep -o '/usr/share/common-licenses/[A-Za-z0-9.+-]*[A-Za-z0-9]' | sort -u | while read -r licence; do
	[ ! -f "$licence" ] || cp -L "$licence" "$root$licence"
done
