#!/bin/sh
# run.sh NAME SECONDS: runs one fuzz target, prints one line. New inputs go to build/fuzz/corpus/NAME, what fails to
# build/fuzz/NAME-*, the log to build/fuzz/NAME.log. What failed in an earlier run comes first.
#
# FUZZ_SEED=N: each run of the same program has the same inputs in the same order, so that CI fails for a change and not by
# chance. libFuzzer compares addresses, so they must not vary; it reads folders in the order of the file system, so it gets a list;
# new inputs are not kept. libFuzzer's thread that measures the memory allocates when it starts, during some input, which moves
# addresses and has the input executed again, in search of a leak. So the sanitizer measures the memory: its thread does not
# allocate. And libFuzzer must not return free memory to the system once a second, because that moves addresses too.
set -u
name=$1 seconds=$2
cd "$(dirname "$0")/../.." || exit 1
mkdir -p "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
log=build/fuzz/$name.log
options="-timeout=10 -rss_limit_mb=1024"
for found in "build/fuzz/$name"-*; do
	[ -e "$found" ] || continue
	if "build/fuzz/bin/$name" $options "$found" >"$log" 2>&1; then
		rm "$found" # it is mended
	else
		tail -n 60 "$log"
		echo "fuzz $name: FAILED by $found of an earlier run"
		exit 1
	fi
done
[ ! -e "tests/fuzz/dictionaries/$name" ] || options="$options -dict=tests/fuzz/dictionaries/$name"
options="$options -max_total_time=$seconds -print_final_stats=1 -artifact_prefix=build/fuzz/$name-"
if [ -n "${FUZZ_SEED:-}" ]; then
	find "tests/fuzz/corpus/$name" -type f | LC_ALL=C sort | paste -sd, >"build/fuzz/$name.inputs"
	set -- -rss_limit_mb=0 -malloc_limit_mb=1024 -purge_allocator_interval=-1 -seed="$FUZZ_SEED" -seed_inputs=@"build/fuzz/$name.inputs"
	export ASAN_OPTIONS="hard_rss_limit_mb=1024${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
	# some containers forbid it
	fixed=$(setarch -R true 2>/dev/null && echo setarch -R)
else
	set -- "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
	fixed=
fi
if $fixed "build/fuzz/bin/$name" $options "$@" >"$log" 2>&1; then
	echo "fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in $seconds s, no finding"
else
	tail -n 60 "$log"
	echo "fuzz $name: FAILED, see $log"
	exit 1
fi
