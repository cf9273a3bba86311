#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# release.sh DIST: builds everything that a release has, from the commit HEAD, into the new directory DIST.
#
#   RELEASES="bookworm trixie"   Debian releases
#   ARCHITECTURES="amd64 arm64"  this machine's by default; another one takes DEB_BUILD_OPTIONS=nocheck, because a few unit tests do not pass in QEMU
#   APPLIANCE=1                  also the appliance, which takes what `make appliance` takes
#   DEB_BUILD_OPTIONS=nocheck    without the unit tests
#   SOURCE_URL=URL               the repository, as provenance.json names it
#   DOCS_URL=URL                 where the folder docs of this release is published: runbook_url of the alerts
#   KEY=ID                       the OpenPGP key that signs SHA256SUMS and the apt archive; without it they are not signed
#
# DIST gets: the source; a package for each Debian release and an apt archive of them; images for docker, podman and containerd; the Helm chart; one
# manifest for each overlay; schemas, dashboard and alert rules; SPDX and CycloneDX lists of what packages and images run with; provenance.json; SHA256SUMS.
#
# The same commit gives the same bytes in each folder and at each time: all times are SOURCE_DATE_EPOCH, by default the time of the commit.
set -eu
case ${1:--} in
-*)
	sed -n '3,/^set/s/^# \{0,1\}//p' "$0"
	exit 64
	;;
esac
cd "$(dirname "$0")/.."
dist=$(mkdir -p "$(dirname "${1:?directory}")" && cd "$(dirname "$1")" && pwd)/$(basename "$1")
mkdir "$dist"
version=$(cat VERSION)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
umask 022
mkdir -p build
work=$(mktemp -d "$PWD/build/release-work.XXXXXX")
trap 'rm -rf "$work"' EXIT
[ -z "$(git status --porcelain --untracked-files=no)" ] || echo "release: changes that are not committed are not in it" >&2
grep -q "^## \[$version\] - " CHANGELOG.md || echo "release: CHANGELOG.md has no section for $version yet" >&2

say() {
	echo "release: $*" >&2
}

say "source"
source=vcourier-$version
git archive --format=tar --prefix="$source/" HEAD | gzip -9n >"$dist/$source.tar.gz"
tar -xzf "$dist/$source.tar.gz" -C "$work"

images="collector dispatcher cli console" # as compose/images.sh and the stages of compose/Dockerfile
image_base=trixie

native=$(dpkg --print-architecture)

# What runs in a root of the Debian release $1 for the architecture $2. $work/$1-$2 is /mnt there.
script() {
	cat <<END
cd /mnt/$source && DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-} parallel=\$(nproc)" release/deb.sh --host-arch $2
lintian --allow-root --fail-on error,warning build/vcourier_*.changes
release/sbom.py build/vcourier_*.deb /mnt/sbom
dpkg-query -W -f '\${Package}=\${Version}\n' >/mnt/$1-$2
if [ "$1" = $image_base ]; then
	mkdir /mnt/programs /mnt/images
	cross=
	if [ $2 != $native ]; then
		cross=-\$(dpkg-architecture -a $2 -q DEB_HOST_GNU_TYPE 2>/dev/null)
		export LIST="qemu-\$(dpkg-architecture -a $2 -q DEB_HOST_GNU_CPU 2>/dev/null) \$(echo /usr/lib/\${cross#-}/ld-linux-*.so.*) --list"
	fi
	for program in vcourier vcourier-collector vcourier-dispatcher vcourier-console vcourier-listen; do
		\${cross#-}\${cross:+-}strip -o /mnt/programs/\$program build/release\$cross/\$program
	done
	compose/images.sh /mnt/images /mnt/programs
	for image in $images; do
		release/sbom.py /mnt/images/\$image /mnt/image-\$image
	done
fi
END
}
debs=
lists=
architectures=${ARCHITECTURES:-$native}
for name in ${RELEASES:-bookworm trixie}; do
	for architecture in $architectures; do
		say "package for $name, $architecture"
		here=$work/$name-$architecture
		mkdir "$here"
		cp -a "$work/$source" "$here/"
		root=$name
		[ "$architecture" = "$native" ] || root=$name-$architecture
		release/root.sh "$root" "$here" "$(script "$name" "$architecture")" >"$here/log" 2>&1 || {
			tail -30 "$here/log" >&2
			exit 1
		}
		deb=$(echo "$here/$source"/build/vcourier_*.deb)
		cp "$deb" "$here/$source"/build/vcourier-dbgsym_*deb "$dist/"
		for form in spdx cdx; do
			cp "$here/sbom.$form.json" "$dist/$(basename "$deb" .deb).$form.json"
		done
		debs="$debs $name=$dist/$(basename "$deb")"
		lists="$lists $here/$name-$architecture"
	done
done
# shellcheck disable=SC2086
release/apt_repository.py "$dist/apt" $debs

if [ -d "$work/$image_base-${architectures%% *}/images" ]; then
	say "images"
	mkdir "$dist/images"
	for image in $images; do
		tag=vcourier-$image:$version
		[ "$image" != cli ] || tag=vcourier:$version
		file=$dist/images/$(echo "$tag" | tr : -)
		roots=
		for architecture in $architectures; do
			roots="$roots $architecture=$work/$image_base-$architecture/images/$image"
			for form in spdx cdx; do
				cp "$work/$image_base-$architecture/image-$image.$form.json" "$file-$architecture.$form.json"
			done
		done
		# shellcheck disable=SC2086
		release/oci.py "$work/$source/compose/Dockerfile" "$image" "$tag" "$file.oci.tar" $roots
	done
fi

say "chart"
"$work/$source/release/chart.sh" "$dist/vcourier-chart-$version.tgz"

if [ -n "${APPLIANCE:-}" ]; then
	say "appliance"
	appliance/image.sh "$work/appliance"
	mkdir "$dist/appliance"
	cp "$work/appliance/vcourier-$version".* "$dist/appliance/"
fi

say "schemas, dashboard, alerts, manifests"
mkdir "$dist/schemas" "$dist/manifests"
cp "$work/$source"/schemas/*.json "$dist/schemas/"
cp "$work/$source/k8s/components/grafana/vcourier.json" "$dist/grafana-dashboard.json"
docs=${DOCS_URL:-https://vcourier.example/docs}
sed -n "s#https://vcourier.example/docs/#$docs/#; /^  groups:/,\$s/^  //p" "$work/$source/k8s/components/monitoring/prometheusrule.yaml" >"$dist/prometheus-rules.yaml"
PATH=$PWD/build/interop/bin:$PATH
if kubectl kustomize --help >/dev/null 2>&1; then
	for overlay in "$work/$source"/k8s/base "$work/$source"/k8s/overlays/*; do
		kubectl kustomize "$overlay" >"$dist/manifests/$(basename "$overlay").yaml"
	done
else
	rmdir "$dist/manifests"
	say "SKIPPED: manifests: kubectl 1.27 or later is not installed (make interop installs one)"
fi

say "provenance"
# shellcheck disable=SC2086
release/provenance.py "$dist" "${SOURCE_URL:-https://vcourier.example}" "$(git rev-parse HEAD)" $lists

if [ -n "${KEY:-}" ]; then
	say "signatures"
	sign="gpg --batch --yes --local-user $KEY --digest-algo SHA256 --faked-system-time $SOURCE_DATE_EPOCH! --armor"
	for file in "$dist"/apt/dists/*/Release; do
		$sign --detach-sign --output "$file.gpg" "$file"
		$sign --clearsign --output "$(dirname "$file")/InRelease" "$file"
	done
	gpg --batch --armor --export-options export-minimal --export "$KEY" >"$dist/vcourier-archive-keyring.asc"
fi
(cd "$dist" && find . -type f ! -name SHA256SUMS | sed 's#^\./##' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
[ -z "${KEY:-}" ] || $sign --detach-sign --output "$dist/SHA256SUMS.asc" "$dist/SHA256SUMS"
find "$dist" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
say "$dist"
