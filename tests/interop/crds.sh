#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# crds.sh LIST DIRECTORY: the CustomResourceDefinitions that LIST names, as files in DIRECTORY. Fails if one cannot be had.
set -eu
list=$1 directory=$2
rm -rf "$directory" "$directory.new"
mkdir -p "$directory.new"
export GO111MODULE=on GOFLAGS=-mod=mod
grep -v '^#' "$list" | while read -r module version file; do
	got=$(go mod download -json "$module@$version" | sed -n 's/.*"Dir": "\(.*\)",.*/\1/p')
	cp "$got/$file" "$directory.new/$(basename "$file")"
done
chmod -R u+w "$directory.new"
mv "$directory.new" "$directory"
