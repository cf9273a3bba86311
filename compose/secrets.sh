#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# secrets.sh DIR USERS_CONF: creates a random password for each NATS user without one in DIR, and a directory for each service
# with the secrets that it needs, DIR/services/SERVICE. The service `volume` runs it at each start. Existing files stay. With
# STANDINS=1 it also creates the passwords of the stand-ins. The passwords of real peers come from the operator.
set -eu
users=$2
cd "$1"
umask 022
owner=$(stat -c %u .)
chmod 0700 .

# The containers run as group 65532. Where files have no group of their own, as on some shares, each user may read them: the mode of
# this directory keeps the others out.
readable() {
	if chgrp 65532 "$1" 2>/dev/null && [ "$(stat -c %g "$1")" = 65532 ]; then
		chmod u+rw,g+r,o-rwx "$1"
	else
		chmod a+r "$1"
	fi
}

make() {
	[ -s "$1" ] || head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$1"
	readable "$1"
}

# a hard link, so that the service reads a password that is written in place
give() { # SERVICE NAME FILE
	[ -e "$3" ] || return 0
	readable "$3"
	mkdir -p "services/$1"
	ln -f "$3" "services/$1/$2" 2>/dev/null || cp -p "$3" "services/$1/$2"
}

# user: "collector-lab", password: $collector_lab
sed -n 's/.*user: "\([^"]*\)", password: \$\([A-Za-z0-9_]*\).*/\1 \2/p' "$users" | while read -r user variable; do
	make "$user"
	printf '%s: "%s"\n' "$variable" "$(cat "$user")"
done >passwords.new
cmp -s passwords.new passwords.conf || cp passwords.new passwords.conf
rm passwords.new
readable passwords.conf
if [ "${STANDINS:-}" = 1 ]; then
	for peer in vcenter gateway aws; do make "$peer"; done
	give vcenter password vcenter
fi

give nats passwords.conf passwords.conf
give collector nats "collector-${VCENTER_NAME:-lab}"
give collector vcenter vcenter
for file in vcenter-*; do # of vcenters.py: the password of each vCenter
	[ -e "$file" ] || continue
	give "collector-${file#vcenter-}" nats "collector-${file#vcenter-}"
	give "collector-${file#vcenter-}" vcenter "$file"
	several=1
done
give collector-webhook nats "collector-${WEBHOOK_NAME:-hooks}"
for file in webhook webhook[-.]*; do give collector-webhook "$file" "$file"; done # the secret of each path, certificate and key
give collector-horizon nats "collector-${HORIZON_NAME:-pod}"
give collector-horizon horizon horizon
give cli nats cli
give check nats cli
if [ -n "${several:-}" ]; then rm -f services/check/vcenter; else give check vcenter vcenter; fi # one password must not be tried at all of them
give check gateway gateway
give check aws aws
give check horizon horizon
for file in webhook webhook[-.]*; do give check "$file" "$file"; done
give console nats console
give console nats-operator console-operator
give console users console-users
for name in knative openfaas eventbridge functions; do give "dispatcher-$name" nats "dispatcher-$name"; done
give dispatcher-openfaas gateway gateway
give dispatcher-eventbridge aws aws
chown -R "$owner" .
