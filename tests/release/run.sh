#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh OLDER: builds the release of HEAD twice, in two folders and at two times, and compares all bytes; replaces programs of the commit OLDER by
# those of this tree under load, and back; then installs, upgrades, downgrades and purges its package in a new root of each Debian release.
# RELEASES, DEB_BUILD_OPTIONS: see release/release.sh.
set -eu
cd "$(dirname "$0")/../.."
older=${1:?usage: run.sh COMMIT}
mkdir -p build
work=$(mktemp -d "$PWD/build/release-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
releases=${RELEASES:-bookworm trixie}

GNUPGHOME=$work/gnupg
export GNUPGHOME
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --faked-system-time 20200101T000000! --quick-generate-key release-test ed25519 sign never 2>/dev/null

for copy in first a-second-folder; do
	git clone -q . "$work/$copy"
	mkdir "$work/$copy/build"
	for folder in root interop; do
		mkdir -p "build/$folder"
		ln -s "$PWD/build/$folder" "$work/$copy/build/$folder"
	done
	(cd "$work/$copy" && RELEASES=$releases KEY=release-test release/release.sh dist)
done
diff -r "$work/first/dist" "$work/a-second-folder/dist"
(cd "$work/first/dist" && sha256sum -c --quiet SHA256SUMS && gpg --quiet --verify SHA256SUMS.asc SHA256SUMS 2>/dev/null)
for release in $releases; do
	state=$work/apt-$release
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/etc/preferences.d"
	touch "$state/status"
	echo "deb [signed-by=$work/first/dist/vcourier-archive-keyring.asc] file:$work/first/dist/apt $release main" >"$state/sources.list"
	apt-get -qq -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" \
		-o Dir::Etc="$state/etc" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root update
done
echo "release-test: apt takes the signed archive"
echo "release-test: two builds are the same: $(wc -l <"$work/first/dist/SHA256SUMS") files"

mkdir "$work/older"
git archive "$older" | tar -x -C "$work/older"
make -s -C "$work/older" -j"$(nproc)" all
make -s -j"$(nproc)" all simulator
/usr/bin/python3 tests/release/upgrade.py "$work/older/build/release"

for release in $releases; do
	mkdir -p "$work/$release"
	git archive --prefix=older/ "$older" | tar -x -C "$work/$release"
	release/root.sh "$release" "$work/$release" 'cd older && make -s -j$(nproc) all && make -s deb && cp build/vcourier_*.deb ../old.deb' >"$work/log" 2>&1 ||
		{ tail -20 "$work/log"; exit 1; }
	cp "$work/first/dist/apt/$(awk '/^Filename:/ {print $2}' "$work/first/dist/apt/dists/$release/main/binary-$(dpkg --print-architecture)/Packages")" \
		"$work/$release/new.deb"
	cp tests/release/package.sh debian/tests/delivers-an-event "$work/$release/"
	release/root.sh "$release-run" "$work/$release" './package.sh ./old.deb ./new.deb ./delivers-an-event'
done
