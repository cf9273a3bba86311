#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deb.sh VERSION: stages `make install` and packs it with dpkg-deb; dpkg-shlibdeps finds the library dependencies.
set -eu
cd "$(dirname "$0")/.."
version=$1
arch=$(dpkg --print-architecture)
stage=$PWD/build/deb
umask 022
rm -rf "$stage" && mkdir -p "$stage/root/DEBIAN" "$stage/debian"
make --no-print-directory install DESTDIR="$stage/root" PREFIX=/usr >/dev/null
doc=$stage/root/usr/share/doc/vcourier
date=$(date -u -R -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}")
maintainer="The vcourier authors <vcourier@users.noreply.github.com>"
cat > "$doc/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: vcourier

Files: *
Copyright: 2026 The vcourier authors
License: Apache-2.0
 On Debian systems, the license is in /usr/share/common-licenses/Apache-2.0.
END
printf 'vcourier (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md of the source.\n\n -- %s  %s\n' \
	"$version" "$maintainer" "$date" | gzip -9n > "$doc/changelog.gz"
gzip -9n "$stage"/root/usr/share/man/man*/*
install -D -m 0644 systemd/lintian-overrides "$stage/root/usr/share/lintian/overrides/vcourier"
echo /etc/vcourier/cli.yaml > "$stage/root/DEBIAN/conffiles"

printf 'Source: vcourier\n\nPackage: vcourier\nArchitecture: any\n' > "$stage/debian/control"
libraries=$(cd "$stage" && dpkg-shlibdeps -O root/usr/bin/vcourier root/usr/bin/vcourier-collector \
	root/usr/bin/vcourier-dispatcher 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$libraries" ] || { echo "deb.sh: dpkg-shlibdeps found no libraries" >&2; exit 1; }

cat > "$stage/root/DEBIAN/control" <<END
Package: vcourier
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(du -sk "$stage/root" | cut -f1)
Depends: $libraries
Recommends: ca-certificates, nats-server, python3
Section: net
Priority: optional
Description: VMware vCenter events to Knative, OpenFaaS and AWS EventBridge
 Reads the events of VMware vCenter, keeps them as CloudEvents in NATS
 JetStream and delivers each one to Knative, OpenFaaS or AWS EventBridge.
 Starts from the configuration file of the VMware Event Router.
END
install -m 0755 systemd/postinst systemd/prerm systemd/postrm "$stage/root/DEBIAN/"
package=build/vcourier_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz --build "$stage/root" "$package" >/dev/null
rm -rf "$stage"
echo "$package"
