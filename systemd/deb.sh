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
install -m 0644 LICENSE "$stage/root/usr/share/doc/vcourier/copyright"

printf 'Source: vcourier\n\nPackage: vcourier\nArchitecture: any\n' > "$stage/debian/control"
libraries=$(cd "$stage" && dpkg-shlibdeps -O root/usr/bin/vcourier root/usr/bin/vcourier-collector \
	root/usr/bin/vcourier-dispatcher 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$libraries" ] || { echo "deb.sh: dpkg-shlibdeps found no libraries" >&2; exit 1; }

cat > "$stage/root/DEBIAN/control" <<END
Package: vcourier
Version: $version
Architecture: $arch
Maintainer: The vcourier authors <vcourier@localhost>
Installed-Size: $(du -sk "$stage/root" | cut -f1)
Depends: $libraries
Recommends: ca-certificates, nats-server, python3-minimal
Section: net
Priority: optional
Description: VMware vCenter events to Knative, OpenFaaS and AWS EventBridge
 Reads the events of VMware vCenter, keeps them as CloudEvents in NATS JetStream and
 delivers each one to Knative, OpenFaaS or AWS EventBridge. Starts from the configuration
 file of the VMware Event Router.
END
install -m 0755 systemd/postinst systemd/prerm systemd/postrm "$stage/root/DEBIAN/"
package=build/vcourier_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz --build "$stage/root" "$package" >/dev/null
rm -rf "$stage"
echo "$package"
