#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image.sh DIRECTORY: makes vcourier-VERSION.ova and .qcow2 of the appliance in DIRECTORY, with the list of its packages.
#
# A root of Debian 13 by mmdebstrap, put on a disk by mke2fs and mtools: no loop device and no mount of the image. The same packages give the
# same bytes. Takes root, for mmdebstrap and release/root.sh. The archive is that of apt on this machine, unless these are set:
#   MIRROR=URL SECURITY_MIRROR=URL   the archives that the image is made from
#   KEEP_ROOT=1                      uses the root of the last time (for work on the disk)
set -eu
cd "$(dirname "$0")/.."
umask 022
out=$(mkdir -p "${1:?directory}" && cd "$1" && pwd)
version=$(cat VERSION)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC
release=trixie
size=8192 esp=64 # MiB: the disk of the system, its EFI system partition from 1 MiB on
root_id=6f3c1d52-7663-4f75-8269-657200000001 # of the file system; kernel command line and fstab name it

say() {
	echo "image.sh: $*" >&2
}

mirrors() {
	# shellcheck disable=SC2016
	security=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Identifier: Packages' 'Origin: Debian' | awk '$2 ~ /-security$/ { print $1; exit }')
	mirror=${MIRROR:-$(tests/debian/mirror.sh)}
	security=${SECURITY_MIRROR:-$security}
	[ -n "$mirror" ] && [ -n "$security" ] || { say "apt knows no archive of Debian here: run apt-get update, or set MIRROR and SECURITY_MIRROR"; exit 1; }
}

# vcourier's package, built on the release that it runs on.
package() {
	say "package"
	rm -rf "$out/source" && mkdir "$out/source"
	{ git ls-files -co --exclude-standard 2>/dev/null | grep . || find . -type f -not -path './build/*'; } | tar -cf - -T - 2>/dev/null | tar -xf - -C "$out/source"
	release/root.sh "$release" "$out" 'cd source && DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)" DEB_BUILD_PROFILES=nocheck release/deb.sh' >"$out/package.log" ||
		{ tail -20 "$out/package.log" >&2; exit 1; }
	rm -f "$out"/vcourier_*.deb
	mv "$out"/source/build/vcourier_*.deb "$out/"
	rm -rf "$out/source"
}

# What the image has beside its packages.
overlay() {
	rm -rf "$out/overlay" && mkdir -p "$out/overlay/usr/lib/vcourier-appliance/vcourier_appliance" "$out/overlay/usr/sbin" "$out/overlay/usr/share/vcourier-appliance"
	cp -R appliance/overlay/. "$out/overlay/"
	cp appliance/vcourier_appliance/*.py "$out/overlay/usr/lib/vcourier-appliance/vcourier_appliance/"
	cp appliance/vcourier-appliance "$out/overlay/usr/sbin/"
	echo "$version" >"$out/overlay/usr/share/vcourier-appliance/version"
	: >"$out/overlay/etc/machine-id" # empty, and not "uninitialized": systemd would enable every unit
	echo vcourier >"$out/overlay/etc/hostname"
	echo "UUID=$root_id / ext4 errors=remount-ro,noatime 0 1" >"$out/overlay/etc/fstab"
	cat >"$out/debian.sources" <<-END
		Types: deb
		URIs: http://deb.debian.org/debian
		Suites: $release $release-updates
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

		Types: deb
		URIs: http://deb.debian.org/debian-security
		Suites: $release-security
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	END
	find "$out/overlay" -type d -exec chmod 755 {} +
	find "$out/overlay" -type f -exec chmod 644 {} +
	chmod 755 "$out/overlay/usr/sbin/vcourier-appliance"
}

# In the new root, as its last step: $1 is its directory.
finish() {
	cat <<'END'
set -e
root=$1
cp -R "$OUT/overlay/." "$root/"
cp "$OUT"/vcourier_*.deb "$root/tmp/vcourier.deb"
chroot "$root" apt-get -qq install -y --no-install-recommends /tmp/vcourier.deb >/dev/null
rm "$root/tmp/vcourier.deb"
chroot "$root" systemd-sysusers
chroot "$root" systemctl -q enable systemd-networkd systemd-resolved systemd-timesyncd vcourier-appliance-disk vcourier-appliance vcourier-screen vcourier-addresses.path
for unit in nats-server ssh nginx nftables rsyslog podman-auto-update.timer podman-restart podman.socket podman.service; do
	chroot "$root" systemctl -q disable $unit || : # configure enables some of them; some are not in every release
done
chroot "$root" systemctl -q mask nats-server ssh.socket getty@tty1 systemd-networkd-wait-online systemd-firstboot
ln -sf /dev/null "$root/etc/systemd/system/apt-daily.timer"
ln -sf /dev/null "$root/etc/systemd/system/apt-daily-upgrade.timer"
ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
cp "$OUT/debian.sources" "$root/etc/apt/sources.list.d/"
rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/0000* "$root"/etc/nginx/sites-enabled/default "$root"/etc/apt/apt.conf.d/99mmdebstrap
mkdir -p "$OUT/boot"
cp "$root"/usr/lib/shim/shimx64.efi.signed "$root"/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed "$OUT/boot/"
cp "$(readlink -f "$root"/boot/vmlinuz-*)" "$OUT/boot/vmlinuz"
cp "$(readlink -f "$root"/boot/initrd.img-*)" "$OUT/boot/initrd.img"
chroot "$root" dpkg-query -W > "$OUT/packages"
rm -rf "$root"/etc/ssh/ssh_host_* "$root"/var/log/* "$root"/var/cache/* "$root"/var/lib/dbus/machine-id "$root"/var/lib/apt/lists/* "$root"/usr/share/python3/runtime.d/*.pyc
rm -rf "$root"/boot/*.old* "$root"/etc/*- "$root"/var/lib/dpkg/*-old "$root"/var/lib/systemd/random-seed "$root"/var/lib/systemd/deb-systemd-helper-*
mkdir -p "$root"/var/cache/apt/archives/partial "$root"/var/cache/nginx "$root"/var/spool/rsyslog "$root"/var/log/nginx "$root"/var/log/journal
END
}

root() {
	say "root"
	mirrors
	finish >"$out/finish.sh"
	tests/debian/apt_settings.sh >"$out/apt.conf"
	packages=$(tr -s '\n ' ',,' <appliance/packages.txt | sed 's/,$//')
	# dpkg leaves out what nobody reads on an appliance; the licences stay
	OUT=$out mmdebstrap --quiet --mode=root --variant=apt --include="$packages,shim-signed,grub-efi-amd64-signed" \
		--aptopt='APT::Install-Recommends "false"' --aptopt="$out/apt.conf" \
		--dpkgopt=path-exclude='/usr/share/man/*' --dpkgopt=path-exclude='/usr/share/locale/*' --dpkgopt=path-exclude='/usr/share/doc/*' \
		--dpkgopt=path-include='/usr/share/doc/*/copyright' --dpkgopt=path-include='/usr/share/doc/vcourier/*' \
		--essential-hook='mkdir -p "$1/etc/initramfs-tools" && cp appliance/overlay/etc/initramfs-tools/modules "$1/etc/initramfs-tools/"' \
		--customize-hook="sh $out/finish.sh \"\$1\"" \
		"$release" "$out/root.tar" "deb $mirror $release main" "deb $mirror $release-updates main" "deb $security $release-security main" ||
		{ rm -f "$out/root.tar"; exit 1; }
}

disk() {
	say "disk"
	cat >"$out/boot/grub.cfg" <<-END
		set timeout=1
		search --no-floppy --fs-uuid --set=root $root_id
		linux /vmlinuz root=UUID=$root_id ro console=ttyS0,115200 console=tty0 quiet
		initrd /initrd.img
		boot
	END
	image=$out/disk.raw
	rm -f "$image" && truncate -s ${size}M "$image"
	/sbin/sfdisk -q "$image" <<-END
		label: gpt
		label-id: 6F3C1D52-7663-4F75-8269-657200000002
		start=1MiB, size=${esp}MiB, type=U, uuid=6F3C1D52-7663-4F75-8269-657200000003
		start=$((1 + esp))MiB, size=$((size - esp - 2))MiB, type=L, uuid=6F3C1D52-7663-4F75-8269-657200000004
	END
	/sbin/mkfs.fat --invariant -F 32 -s 1 -i 76630001 -n ESP --offset 2048 "$image" $((esp * 1024)) >/dev/null
	export MTOOLS_SKIP_CHECK=1
	mmd -i "$image@@1M" ::EFI ::EFI/BOOT ::EFI/debian
	find "$out/boot" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
	mcopy -m -i "$image@@1M" "$out/boot/shimx64.efi.signed" ::EFI/BOOT/BOOTX64.EFI
	mcopy -m -i "$image@@1M" "$out/boot/grubx64.efi.signed" ::EFI/BOOT/grubx64.efi
	mcopy -m -i "$image@@1M" "$out/boot/grub.cfg" ::EFI/debian/grub.cfg
	# mke2fs reads an archive by libarchive; a root of the release has the same version of both on every machine
	release/root.sh "$release" "$out" "apt-get -qq install -y --no-install-recommends e2fsprogs libarchive13t64 >/dev/null
		export LC_ALL=C.UTF-8
		mke2fs -q -t ext4 -m 1 -N 262144 -L vcourier-system -U $root_id -d root.tar -E offset=$(((1 + esp) * 1048576)),hash_seed=$root_id,lazy_itable_init=0,lazy_journal_init=1 \
			disk.raw $(((size - esp - 2) * 1024))k"
}

formats() {
	say "formats"
	qemu-img convert -O qcow2 -c "$out/disk.raw" "$out/vcourier-$version.qcow2"
	for name in disk store; do
		[ $name = disk ] || truncate -s 32G "$out/store.raw"
		qemu-img convert -O vmdk -o subformat=streamOptimized,adapter_type=lsilogic,hwversion=14 "$out/$name.raw" "$out/$name.vmdk"
	done
	appliance/ovf.py "$version" "$out/disk.vmdk" "$out/store.vmdk" "$out"
	cp "$out/packages" "$out/vcourier-$version.packages"
	rm -f "$out/store.raw" "$out/store.vmdk" "$out/disk.vmdk" "$out/finish.sh" "$out/apt.conf" "$out/debian.sources"
	(cd "$out" && sha256sum root.tar disk.raw "vcourier-$version.ova" "vcourier-$version.qcow2" | tee sums)
}

[ "$(id -u)" = 0 ] || { say "SKIPPED: it takes root"; exit 77; }
if [ -z "${KEEP_ROOT:-}" ] || [ ! -s "$out/root.tar" ]; then
	package
	overlay
	root
fi
disk
formats
