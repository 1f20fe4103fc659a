# Every command that the README names. Meson does the building; this file only says what belongs together.

BUILD ?= build
SANITIZED ?= build-sanitized
MESON_FLAGS ?=
# Of the demo: sqlite, postgresql, mariadb, or the URL of a server.
DB ?=

.PHONY: all dependencies demo check bench fuzz soak format lint install clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja: | dependencies
	@meson setup $(BUILD) --buildtype=release $(MESON_FLAGS)

# Debian's packages that are missing: installed as root, else the one command is printed.
dependencies:
	@tools/dependencies

demo: all
	@DB="$(DB)" tools/demo $(BUILD)

check:
	@tools/check $(BUILD) $(SANITIZED)

bench: all
	@tools/bench $(BUILD)
	@tools/bench-servers $(BUILD)
	@tools/bench-orms $(BUILD)

fuzz: | dependencies
	@tools/fuzz

soak: all
	@CORM_MODEL_SEED=$$(date +%s) CORM_MODEL_SECONDS=60 $(BUILD)/tests/c/test_c_model
	@tools/soak $(BUILD)
	@for kind in postgresql mariadb; do \
	    CORMORANT_TEST_DB=$$kind CORM_LOAD_STATEMENTS=1000000 CORM_LOAD_THREADS=200 CORM_LIES=2000 \
	    PYTHONPATH=$(BUILD)/python $${PYTHON:-/usr/bin/python3} tests/servers/run.py --$$kind -- $${PYTHON:-/usr/bin/python3} -m pytest -q \
	    tests/python/test_load.py tests/python/test_hostile_servers.py || exit 1; \
	done

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

lint:
	@tools/lint

install: all
	@meson install -C $(BUILD)

clean:
	@rm -rf $(BUILD) $(SANITIZED) build-threads build-python-sanitized build-python-debug
