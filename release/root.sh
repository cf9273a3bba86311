#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# root.sh RELEASE DIRECTORY SCRIPT: runs a shell script as root in a new root of a Debian release, which has what debian/control needs to
# build. DIRECTORY is /mnt in it, and all that stays. RELEASE-run: a root with only the base. RELEASE-arm64: one that builds for this
# architecture, and runs its programs with qemu-aarch64.
#
# A root is made by debootstrap once, in build/root/; each call works on an overlay of it. Status 77, with the reason: it cannot be made.
set -eu

name=${1:?usage: root.sh RELEASE DIRECTORY SCRIPT}
directory=$(cd "${2:?directory}" && pwd)
script=${3:?script}
source=$(cd "$(dirname "$0")/.." && pwd)
release=${name%%-*}
variant=$(echo "$name" | sed -n 's/^[^-]*-//p')
base=$source/build/root/$name

skip() {
	echo "root.sh: SKIPPED: $name: $*" >&2
	exit 77
}

if [ -z "${VCOURIER_ROOT_INSIDE:-}" ]; then
	[ "$(id -u)" = 0 ] || skip "it takes root"
	command -v debootstrap >/dev/null || skip "debootstrap is not installed"
	unshare --mount --pid --fork true 2>/dev/null || skip "no namespaces can be made here"
	mkdir -p "$base"
	exec 9>"$base/lock"
	flock 9
	VCOURIER_ROOT_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$0" "$name" "$directory" "$script"
fi

inside() {
	chroot "$1" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LANG=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive ${SOURCE_DATE_EPOCH:+"SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"} sh -ec "$2"
}

devices() {
	mount -t proc proc "$1/proc"
	mount --bind /dev "$1/dev"
	mount -t devpts -o ptmxmode=0666,mode=620,gid=5 devpts "$1/dev/pts" # apt writes its log by a terminal
	mount -t tmpfs tmpfs "$1/run"
	cp /etc/resolv.conf /etc/hosts "$1/etc/"
}

# The archive of this machine, with its apt settings.
make_root() {
	mirror=$("$source/tests/debian/mirror.sh")
	[ -n "$mirror" ] || skip "apt knows no archive of Debian here (run apt-get update)"
	suite=
	[ -e "/usr/share/debootstrap/scripts/$release" ] || suite=/usr/share/debootstrap/scripts/sid
	rm -rf "$base/new"
	mkdir "$base/new"
	# shellcheck disable=SC2086
	debootstrap --variant=minbase --include=ca-certificates "$release" "$base/new" "$mirror" $suite >"$base/log" 2>&1 || {
		tail -3 "$base/log" >&2
		skip "debootstrap cannot make a root"
	}
	"$source/tests/debian/apt_settings.sh" >"$base/new/etc/apt/apt.conf.d/90machine"
	printf '#!/bin/sh\nexit 101\n' >"$base/new/usr/sbin/policy-rc.d"
	chmod 755 "$base/new/usr/sbin/policy-rc.d"
	devices "$base/new"
	if [ "$variant" = run ]; then
		inside "$base/new" 'apt-get -qq update'
	else
		mkdir -p "$base/new/src/debian"
		cp "$source/debian/control" "$source/debian/changelog" "$source/debian/rules" "$base/new/src/debian/"
		if [ -n "$variant" ]; then
			# Manual pages of packages for two architectures may differ, which dpkg refuses.
			echo 'path-exclude=/usr/share/man/*' >"$base/new/etc/dpkg/dpkg.cfg.d/architectures"
			inside "$base/new" "dpkg --add-architecture $variant; apt-get -qq update
				apt-get -qq install -y --no-install-recommends crossbuild-essential-$variant qemu-user libc6:$variant"
		fi
		inside "$base/new" "apt-get -qq update; apt-get -qq install -y --no-install-recommends build-essential lintian
			cd /src && apt-get -qq build-dep -y --no-install-recommends ${variant:+--host-architecture $variant} ./"
	fi >>"$base/log" 2>&1 || {
		tail -15 "$base/log" >&2
		exit 1
	}
	umount "$base/new/run" "$base/new/dev/pts" "$base/new/dev" "$base/new/proc"
	rm -rf "$base/new/src" "$base/new"/var/cache/apt/archives/*.deb
	mv "$base/new" "$base/root"
}

# Other dependencies, another root.
if [ "$variant" != run ] && ! cmp -s "$source/debian/control" "$base/control"; then
	rm -rf "$base/root"
fi
if [ ! -d "$base/root" ]; then
	make_root
	cp "$source/debian/control" "$base/control"
fi
mkdir -p "$base/overlay"
mount -t tmpfs tmpfs "$base/overlay"
mkdir "$base/overlay/upper" "$base/overlay/work" "$base/overlay/at"
root=$base/overlay/at
mount -t overlay overlay -o "lowerdir=$base/root,upperdir=$base/overlay/upper,workdir=$base/overlay/work" "$root"
devices "$root"
mkdir -p "$root/mnt"
mount --bind "$directory" "$root/mnt"
inside "$root" "cd /mnt; $script"
