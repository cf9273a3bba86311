#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# package.sh OLD.deb NEW.deb TEST: installs, upgrades, downgrades, removes and purges the package as root of a new Debian root without systemd.
# TEST: debian/tests/delivers-an-event. Every way must end with the programs in place, or gone, and nothing of the user lost.
set -eu
old=$1
new=$2
event_test=$3

fail() {
	echo "package.sh: $step: $*" >&2
	exit 1
}
step() {
	step=$*
	echo "-- $step"
}
apt() {
	apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/tmp/out 2>&1 || { cat /tmp/out >&2; return 1; }
}
same() {
	[ "$1" = "$2" ] || fail "$3: expected $2, found $1"
}
version() {
	dpkg-query -W -f '${Status} ${Version}' vcourier
}
installed() {
	same "$(version)" "install ok installed $(dpkg-deb -f "$1" Version)" "state of the package"
	same "$(dpkg --audit)" "" "dpkg --audit"
	same "$(vcourier --version)" "vcourier $(dpkg-deb -f "$1" Version | sed 's/+.*//')" "program"
	same "$(stat -c '%a %G' /etc/vcourier)" "750 vcourier" /etc/vcourier
	same "$(stat -c '%a %G' /etc/vcourier/cli.yaml)" "640 vcourier" /etc/vcourier/cli.yaml
	same "$(stat -c '%a %G' /etc/vcourier/secrets)" "700 root" /etc/vcourier/secrets
	same "$(stat -c '%a %G' /etc/vcourier/nats/secrets)" "750 vcourier-bus" /etc/vcourier/nats/secrets
}
# What an operator has: an enabled instance, its configuration, its secrets as releases up to 0.1.0 kept them.
operator_files() {
	echo "mine: 1" >/etc/vcourier/config.yaml
	echo s1 >/etc/vcourier/secrets/collector-vc1
	echo s2 >/etc/vcourier/secrets/vcenter
	mkdir -p /etc/systemd/system/multi-user.target.wants
	ln -sf /lib/systemd/system/vcourier-collector@.service "/etc/systemd/system/multi-user.target.wants/vcourier-collector@vc1.service"
}
kept() {
	same "$(cat /etc/vcourier/config.yaml)" "mine: 1" config.yaml
	same "$(cat /etc/vcourier/secrets/collector@vc1/collector-vc1 /etc/vcourier/secrets/collector@vc1/vcenter | tr '\n' ' ')" "s1 s2 " "secrets of collector@vc1"
}

apt update
step "a new installation"
apt install "$new"
installed "$new"
apt purge vcourier
[ ! -e /etc/vcourier ] && [ ! -e /usr/bin/vcourier ] || fail "something stays after purge"

step "an event through the installed programs (autopkgtest)"
apt install "$new" nats-server python3 ca-certificates
"$event_test" >/tmp/event 2>&1 || { tail -20 /tmp/event >&2; fail "no event"; }
apt purge vcourier

step "over an older version that runs"
apt install "$old"
operator_files
/usr/sbin/nats-server -a 127.0.0.1 -p 4999 -js -sd /tmp/js >/dev/null 2>&1 &
nats=$!
printf '%s\n' 'apiVersion: event-router.vmware.com/v1alpha1' 'kind: RouterConfig' 'bus: {urls: ["nats://127.0.0.1:4999"]}' \
	'eventProvider: {type: vcenter, name: lab, vcenter: {address: "https://127.0.0.1:1/sdk", auth: {type: basic_auth, basicAuth: {username: x, password: x}}}}' \
	'eventProcessor: {type: knative, name: kn, knative: {encoding: binary, destination: {uri: "http://127.0.0.1:1"}}}' >/tmp/run.yaml
vcourier-dispatcher --config /tmp/run.yaml >/tmp/dispatcher 2>&1 &
running=$!
until grep -q 'msg=started' /tmp/dispatcher; do
	kill -0 "$running" || fail "the older version does not start: $(cat /tmp/dispatcher)"
	sleep 0.2
done
apt install "$new"
installed "$new"
kept
kill -0 "$running" || fail "the process that ran has ended"
kill "$running" && wait "$running" || fail "it does not end well"
vcourier-dispatcher --config /tmp/run.yaml >/tmp/dispatcher 2>&1 &
running=$!
until grep -q 'msg=started' /tmp/dispatcher; do
	kill -0 "$running" || fail "the new version does not start: $(cat /tmp/dispatcher)"
	sleep 0.2
done
kill "$running" "$nats"
wait

step "back to the older version, and forward"
apt install --allow-downgrades "$old"
same "$(version)" "install ok installed $(dpkg-deb -f "$old" Version)" "state of the package"
kept
apt install "$new"
installed "$new"
kept

step "removed and installed again"
apt remove vcourier
[ ! -e /usr/bin/vcourier ] || fail "the program stays"
kept
apt install "$new"
installed "$new"
kept

step "purged with data"
mkdir -p /var/lib/vcourier-nats /etc/containers/systemd
echo '# Written by `vcourier function apply`; `vcourier function rm x` removes it.' >/etc/containers/systemd/vcourier-function-x.container
echo data >/var/lib/vcourier-nats/stream
apt purge vcourier
[ ! -e /etc/vcourier ] || fail "/etc/vcourier stays"
[ ! -e /etc/containers/systemd/vcourier-function-x.container ] || fail "the unit of a function stays"
[ ! -L /etc/systemd/system/multi-user.target.wants/vcourier-collector@vc1.service ] || fail "a link to an instance stays"
same "$(cat /var/lib/vcourier-nats/stream)" data "events of NATS"
grep -q 'stay in /var/lib/vcourier-nats' /tmp/out || fail "purge does not say that they stay"

step "a post-installation that fails half way, repeated"
mkdir -p /etc/vcourier/secrets
operator_files
mv /usr/bin/cp /usr/bin/cp.real # apt gives scripts a PATH of its own
printf '#!/bin/sh\n/usr/bin/cp.real "$@"\nexit 1\n' >/usr/bin/cp
chmod 755 /usr/bin/cp
! apt install "$new" 2>/dev/null || fail "it did not fail"
[ ! -e /etc/vcourier/secrets/collector@vc1 ] || fail "an instance has secrets although copying them failed"
mv /usr/bin/cp.real /usr/bin/cp
dpkg --configure vcourier >/dev/null 2>&1
installed "$new"
kept
apt purge vcourier

step "beside a copy that was made by hand"
mkdir -p /opt/vcourier/bin /usr/local/bin /etc/vcourier
echo hand >/opt/vcourier/bin/vcourier
printf '#!/bin/sh\necho hand\n' >/usr/local/bin/vcourier
chmod 755 /usr/local/bin/vcourier
echo '[Unit]' >/etc/systemd/system/vcourier-collector@.service
echo 'bus: {user: mine}' >/etc/vcourier/cli.yaml
echo "mine: 1" >/etc/vcourier/config.yaml
apt -o Dpkg::Options::=--force-confold install "$new"
for file in /usr/local/bin/vcourier /etc/systemd/system/vcourier-collector@.service; do
	grep -q "$file" /tmp/out || fail "$file is not named: $(cat /tmp/out)"
	[ -e "$file" ] || fail "$file is gone"
done
same "$(cat /etc/vcourier/cli.yaml /etc/vcourier/config.yaml /opt/vcourier/bin/vcourier | tr '\n' '|')" "bus: {user: mine}|mine: 1|hand|" "files of the user"
rm /usr/local/bin/vcourier
hash -r
installed "$new"
apt purge vcourier
[ -e /opt/vcourier/bin/vcourier ] || fail "/opt is touched"
echo "package.sh: passed"
