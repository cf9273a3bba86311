#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image.sh ROOT PROGRAM...: creates a root file system with these programs, the libraries that they load, the certificate authorities and a user; no shell.
# LIST: prints what a program loads, as ldd does; for the programs of another architecture.
# Keeps dpkg's records of the packages that the files came from, for vulnerability scanners.
set -eu
root=$1
shift
mkdir -p "$root/bin" "$root/etc/ssl/certs" "$root/var/lib/dpkg/status.d" "$root/tmp"
chmod 1777 "$root/tmp"
echo 'vcourier:x:65532:65532:vcourier:/:/nonexistent' > "$root/etc/passwd"
echo 'vcourier:x:65532:' > "$root/etc/group"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp "$@" "$root/bin/"
for program in "$@"; do
	${LIST:-ldd} "$program" 2>/dev/null | grep -o '/[^ ]*' || true
done | sort -u | while read -r library; do
	mkdir -p "$root$(dirname "$library")"
	cp -L "$library" "$root$library"
	file=$(readlink -f "$library")
	# Debian 12's packages name some files below /lib, which is a link to /usr/lib.
	package=$({ dpkg-query -S "$file" || dpkg-query -S "${file#/usr}"; } 2>/dev/null | sed 's/: .*//; s/,.*//' | head -1)
	[ -z "$package" ] || dpkg-query -s "$package" > "$root/var/lib/dpkg/status.d/${package%:*}"
done
