#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gobuild.sh MODULE VERSION LDFLAGS PACKAGE[=NAME]...: commands of a Go module that `go install` refuses because its go.mod has
# replace or exclude lines. They are built in a new module with the same lines. The modules that Kubernetes replaces by its
# staging folder are its published modules of the same version. The binaries go to build/interop/bin.
# A PACKAGE that ends with .go is a program of ours that uses the module.
set -eu
module=$1 version=$2 flags=$3
shift 3
cd "$(dirname "$0")/../.."
root=$PWD bin=$PWD/build/interop/bin
dir=build/interop/gobuild/$(echo "$module" | tr / _)
mkdir -p "$bin" "$dir"
cd "$dir"
export GO111MODULE=on GOFLAGS=-mod=mod CGO_ENABLED=0
download=$(go mod download -json "$module@$version")
mod=$(printf '%s\n' "$download" | sed -n 's/.*"GoMod": "\(.*\)",.*/\1/p')
# the module's own checksums: a proxy of the checksum database does not answer for every version without a tag
cp "$(printf '%s\n' "$download" | sed -n 's/.*"Dir": "\(.*\)",.*/\1/p')/go.sum" go.sum
chmod u+w go.sum
sed -e 's#^module .*#module vcourier/interop#' -e '/=> \.\.\//d' \
	-e "s#=> \./staging/src/\(.*\)#=> \1 v0${version#v1}#" "$mod" > go.mod
go mod edit -require "$module@$version"
for package in "$@"; do
	path=${package%%=*}
	echo "building $module/$path $version"
	case $path in
	*.go) cp "$root/$path" . && path=./${path##*/} ;;
	*) path=$module${path:+/$path} ;;
	esac
	go build -trimpath -ldflags "-s -w $flags" -o "$bin/${package##*[/=]}" "$path"
done
