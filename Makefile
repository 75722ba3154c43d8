# Thin: what is built and how is said in CMakeLists.txt and CMakePresets.json.
#
#   make run     build the broker and start it         make bench    compare speed with nats-server
#   make test    build and run every test              make fuzz     fuzz every parser, FUZZ_SECONDS each
#   make demo    a revoked client is refused: watch    make interop  tests that need more than Debian and npm
#   make bench-tricks  what each trick of the hot path is worth; BENCH="-t 2" measures longer
#   make format  format the sources                    make lint     static analysis

ARGS ?=
BENCH ?=
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 5
SOURCES = $(shell git ls-files '*.c' '*.h')

build/%/build.ninja: CMakeLists.txt CMakePresets.json
	cmake --preset $* >/dev/null

.PHONY: build-%
build-%: build/%/build.ninja
	cmake --build --preset $* --parallel $(JOBS)

.PHONY: run
run:
	scripts/packages run
	$(MAKE) build-release
	build/release/server/vouchd $(ARGS)

.PHONY: test
test:
	scripts/packages test
	tests/run

.PHONY: demo
demo:
	scripts/packages demo
	$(MAKE) build-release
	tests/demo/demo build/release/server/vouchd

.PHONY: bench
bench:
	scripts/packages bench
	$(MAKE) build-release build-clang
	export VOUCH_SERVER=build/release/server/vouchd; \
	python3 tests/bench/bench.py build/clang -o docs/performance $(BENCH); bars=$$?; \
	python3 tests/bench/handshakes.py build/clang && exit $$bars

.PHONY: bench-tricks
bench-tricks:
	scripts/packages bench
	$(MAKE) build-clang
	python3 tests/bench/tricks.py build/clang build/tricks -o docs/performance $(BENCH)

.PHONY: fuzz
fuzz:
	scripts/packages test
	cmake --preset fuzz -DFUZZ_SECONDS=$(FUZZ_SECONDS) >/dev/null
	cmake --build --preset fuzz --parallel $(JOBS)
	ctest --preset fuzz -j $(JOBS)

.PHONY: interop
interop: build-dev
	tests/interop/run

.PHONY: format
format:
	clang-format-14 -i $(SOURCES)

.PHONY: lint
lint:
	scripts/packages lint
	$(MAKE) build-dev
	clang-tidy-14 -p build/dev --quiet $(filter-out tests/%,$(filter %.c,$(SOURCES)))
