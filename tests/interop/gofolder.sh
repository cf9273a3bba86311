#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gofolder.sh MODULE VERSION FOLDER DIRECTORY: a copy of a folder of a Go module, as DIRECTORY.
set -eu
export GO111MODULE=on GOFLAGS=-mod=mod
got=$(go mod download -json "$1@$2" | sed -n 's/.*"Dir": "\(.*\)",.*/\1/p')
rm -rf "$4" "$4.new"
mkdir -p "$(dirname "$4")"
cp -r "$got/$3" "$4.new"
chmod -R u+w "$4.new"
mv "$4.new" "$4"
