#!/bin/sh
# merge.sh NAME: replaces tests/fuzz/corpus/NAME, but for what a person named, by the smallest set of inputs with the same edges,
# out of it and build/fuzz/corpus/NAME. A name of 40 hexadecimal digits is libFuzzer's.
set -eu
name=$1
cd "$(dirname "$0")/../.."
corpus=tests/fuzz/corpus/$name found=build/fuzz/corpus/$name
mkdir -p "$corpus" "$found"
for f in "$corpus"/*; do
	case ${f##*/} in
	*[!0-9a-f]*) ;;
	????????????????????????????????????????) mv "$f" "$found" ;;
	esac
done
"build/fuzz/bin/$name" -merge=1 -use_counters=0 -max_len=4096 -timeout=10 -rss_limit_mb=1024 "$corpus" "$found" \
	>"build/fuzz/$name.merge.log" 2>&1 || { tail -n 40 "build/fuzz/$name.merge.log"; exit 1; }
echo "$name: $(find "$corpus" -type f | wc -l) files, $(du -b --apparent-size -d0 "$corpus" | cut -f1) bytes"
