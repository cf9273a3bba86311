#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs README's commands on another Debian release, in a new root that contains only git and make in addition to the base.
#
#   tests/debian/run.sh RELEASE [TARGET...]     RELEASE: bookworm, trixie; TARGET: of make, "demo DURATION=5" and "unit" by itself
#
# Uses the mirror from this machine's apt configuration. Exit code 77 with a reason if the root cannot be created.
set -eu

case ${1:--} in
-*)
	sed -n '3,/^set/s/^# \{0,1\}//p' "$0"
	exit 64
	;;
esac
release=${1:?usage: run.sh RELEASE [TARGET...]}
shift
source=$(cd "$(dirname "$0")/../.." && pwd)

skip() {
	echo "debian-test: SKIPPED: $release: $*"
	exit 77
}

mirror=$("$source/tests/debian/mirror.sh")

# Runs in its own mount and process namespaces, so all mounts and processes end with it.
if [ -z "${VCOURIER_DEBIAN_ROOT:-}" ]; then
	[ "$(id -u)" = 0 ] || skip "it takes root"
	command -v debootstrap >/dev/null || skip "debootstrap is not installed"
	command -v unshare >/dev/null && unshare --mount --pid --fork true 2>/dev/null || skip "no namespaces can be made here"
	[ -n "$mirror" ] || skip "apt knows no archive of Debian here (run apt-get update)"
	mkdir -p "$source/build"
	VCOURIER_DEBIAN_ROOT=$(mktemp -d "$source/build/debian.XXXXXX")
	export VCOURIER_DEBIAN_ROOT
	trap 'rm -rf --one-file-system "$VCOURIER_DEBIAN_ROOT"' EXIT
	unshare --mount --pid --fork --kill-child "$0" "$release" "$@"
	exit
fi

root=$VCOURIER_DEBIAN_ROOT
chmod 755 "$root"
script=
[ -e "/usr/share/debootstrap/scripts/$release" ] || script=/usr/share/debootstrap/scripts/sid
echo "debian-test: $release from $mirror"
# shellcheck disable=SC2086
if ! debootstrap --variant=minbase "$release" "$root" "$mirror" $script >"$root.log" 2>&1; then
	tail -3 "$root.log"
	rm -f "$root.log"
	skip "debootstrap cannot make a root"
fi
rm -f "$root.log"
"$source/tests/debian/apt_settings.sh" >"$root/etc/apt/apt.conf.d/90machine"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount -t devpts -o ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"

mkdir "$root/root/vcourier"
if git -c safe.directory='*' -C "$source" rev-parse -q --verify HEAD >/dev/null 2>&1; then
	git -c safe.directory='*' -C "$source" archive HEAD
else
	tar -C "$source" --exclude=./build -c .
fi | tar -x -C "$root/root/vcourier"
inside() {
	chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LANG=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive sh -ec "cd /root/vcourier; $1"
}
inside 'apt-get -qq update; apt-get -qq install -y --no-install-recommends git make >/dev/null; git init -q; git add -A'
tested() {
	[ -e "$root/root/vcourier/build/tested/$release.json" ] || return 0
	# the tree in the root has no history, so the commit is named here
	commit=$(git -c safe.directory='*' -C "$source" rev-parse --short HEAD 2>/dev/null || echo "no repository")
	mkdir -p "$source/build/tested"
	sed "s/\"no repository\"/\"$commit\"/" "$root/root/vcourier/build/tested/$release.json" >"$source/build/tested/$release.json"
}
trap tested EXIT
if [ $# = 0 ]; then
	inside 'make demo DURATION=5'
	inside 'make unit'
else
	inside "make $*"
fi
echo "debian-test: $release: passed"
