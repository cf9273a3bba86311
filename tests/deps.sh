#!/bin/sh
# Installs the named Debian packages that are missing. Prints nothing if all are installed.
set -eu
missing=
for package in "$@"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "vcourier: packages are missing; as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
echo "vcourier: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# The tests start the servers that they need. A package must not start its own: in a root without an init system its installation
# would fail (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt: 101 is "not allowed").
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi
apt-get -qq update
# shellcheck disable=SC2086
apt-get -qq install -y --no-install-recommends $missing >/dev/null
