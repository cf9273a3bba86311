#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deb.sh [OPTION...]: builds the Debian package of this tree with dpkg-buildpackage, which gets the options. Prints its path below build/.
#
# The version gets the suffix of the Debian release, because the libraries of each release have other names. A copy of the tree is built:
# debhelper writes into debian/. Its build/ is the one of this tree, so that nothing is compiled twice.
set -eu
cd "$(dirname "$0")/.."
. /etc/os-release
version=$(cat VERSION)+deb$VERSION_ID
stage=$PWD/build/deb
rm -rf "$stage" build/vcourier*_*.deb build/vcourier_*.changes build/vcourier_*.buildinfo
mkdir -p "$stage/vcourier"
{ git ls-files -co --exclude-standard 2>/dev/null | grep . || find . -type f -not -path './build/*' -not -path './.git/*'; } |
	tar --ignore-failed-read -cf - -T - 2>/dev/null | tar -xf - -C "$stage/vcourier"
ln -s "$PWD/build" "$stage/vcourier/build"
cd "$stage/vcourier"
sed -i "1s/(.*) [a-z]*;/($version) $VERSION_CODENAME;/" debian/changelog
dpkg-buildpackage --build=binary --no-pre-clean --unsigned-changes --unsigned-buildinfo "$@" >"$stage/log" 2>&1 || { tail -40 "$stage/log" >&2; exit 1; }
cd "$stage" && mv ./*.deb ./*.changes ./*.buildinfo ..
echo "build/$(basename ../vcourier_"$version"_*.deb)"
