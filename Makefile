# SPDX-License-Identifier: MIT
# For developers; newcomers need only ./run and ./test. Meson builds, this file abbreviates.

# seconds that `make fuzz` spends on each fuzzer
T = 60

.PHONY: run test build bench fuzz mutants lint install clean

run:
	./run

test:
	./test

build:
	tools/packages build
	[ -f build/build.ninja ] || meson setup --buildtype=debugoptimized build
	ninja -C build

bench:
	tools/packages build bench
	[ -f build-bench/build.ninja ] || meson setup -Dbench=true --buildtype=release build-bench
	ninja -C build-bench
	python3 bench/bench.py --build build-bench --gatepost build-bench/gatepost --write docs/BENCHMARKS.md
	python3 bench/policy.py --build build-bench --append docs/BENCHMARKS.md

fuzz:
	tools/packages build run test
	[ -f build-fuzz/build.ninja ] || CC=clang meson setup -Dfuzz=true -Db_sanitize=address,undefined \
		-Db_lundef=false -Dhardening=false build-fuzz
	ninja -C build-fuzz
	set -e; for program in build-fuzz/fuzz/fuzz_*; do \
		[ -f "$$program" ] && [ -x "$$program" ] || continue; \
		name=$${program##*/fuzz_}; corpus=build-fuzz/corpus/$$name; \
		rm -rf $$corpus; mkdir -p $$corpus fuzz/$$name.in fuzz/$$name.repro; \
		echo "fuzz_$$name: $(T) seconds"; \
		"$$program" -max_total_time=$(T) -print_final_stats=1 -artifact_prefix=fuzz/$$name.repro/ \
			$$corpus fuzz/$$name.in fuzz/$$name.repro; \
	done

mutants:
	tools/packages build run test
	tools/mutants

lint:
	tools/packages build lint
	[ -f build/build.ninja ] || meson setup --buildtype=debugoptimized build
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=ctuuninitvar -D_GNU_SOURCE \
		--include=/usr/include/$$(gcc -print-multiarch)/sys/queue.h -Ilib -I. lib daemon cli
	find lib daemon cli -name '*.c' | xargs clang-tidy --quiet -p build --extra-arg=-Wno-unknown-warning-option

install: build
	meson install -C build --no-rebuild

clean:
	rm -rf build build-*
