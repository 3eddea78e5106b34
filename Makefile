# sockxfer, built by GNU make. `make help` lists the targets.

VERSION = 1.0
PKGS = libbsd-overlay libxxhash 'openssl >= 3.0'

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
# Where each shell, with its usual settings, looks for completions.
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
PKG_CONFIG ?= pkg-config
GCOV ?= gcov
CFLAGS ?= -O2 -g
BUILD = build

WARNINGS = -Wall -Wextra -Wconversion -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes
WARNINGS += $(if $(WERROR),-Werror)
DEFINES = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DVERSION='"$(VERSION)"'
# Of these, the ones that the compiler has are used. Not _FORTIFY_SOURCE together with a sanitizer, which
# would not see what the fortified functions do.
HARDEN = -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
HARDEN_LINK = -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
FORTIFY_LEVELS = $(if $(SANITIZE),,3 2)
SANITIZER = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)

PROGRAM = $(if $(filter build,$(BUILD)),sockxfer,$(BUILD)/sockxfer)
SOURCES = $(sort $(wildcard src/*/*.c))
OBJECTS = $(SOURCES:src/%.c=$(BUILD)/%.o)
# All but main(). The linker takes from an archive only what is still missing, so a test that defines
# clock_now() itself gets its own everywhere.
ARCHIVE = $(BUILD)/sockxfer.a
UNITS = $(patsubst test/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard test/unit/*/*.c)))
# A fuzz target is linked with what gives it inputs: those of its corpus, or in `make fuzz` libFuzzer's.
FUZZ_DRIVER = $(BUILD)/fuzz/replay.o
FUZZERS = $(filter-out %/replay,$(patsubst test/fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard test/fuzz/*.c))))
FUZZ_SECONDS = 600
SOAK_SECONDS = 600
SWEEP_SHARE = 1
SHIMS = $(patsubst test/shim/%.c,$(BUILD)/shim/%.so,$(sort $(wildcard test/shim/*.c)))
LAUNCHER = $(BUILD)/peer/activate
C_FILES = $(wildcard src/*/*.[ch] test/unit/*.[ch] test/unit/*/*.[ch] test/fuzz/*.[ch] test/shim/*.[ch] test/peer/*.[ch])
LARGE = test/large.bats
TESTS = $(filter-out $(LARGE),$(sort $(wildcard test/*.bats test/*/*.bats)))
BATS_FILES = $(TESTS) $(LARGE) $(wildcard test/*.bash test/*/*.bash)
SCRIPTS = $$(grep -lsE '^\#!.*sh$$' .ci/* test/tools/* test/peer/*)
REPORTS = $(abspath $(BUILD))/reports

# In `make -j deps check`, deps comes first.
FIRST = $(filter deps,$(MAKECMDGOALS))
need = command -v $(1) >/dev/null || { echo "$(1) is missing: run 'make deps'" >&2; exit 1; }
UNDER_TEST = $(abspath $(PROGRAM))
run_tests = SOCKXFER=$(UNDER_TEST) ACTIVATE=$(abspath $(LAUNCHER)) REPORTS=$(REPORTS) test/tools/run-tests

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all programs bench bench-plot large crash soak sweep compare check unit coverage coverage-run fuzz fuzz-run asan asan-check
.PHONY: valgrind demo deps
.PHONY: install uninstall clean dist help
.PHONY: lint lint-format lint-tidy lint-cppcheck lint-man lint-shell lint-gcc lint-clang format FORCE

all: $(PROGRAM) ## build ./sockxfer (the default)

programs: $(PROGRAM) $(UNITS) $(FUZZERS) $(SHIMS) $(LAUNCHER)

# This file changes only when a setting does, and then everything is built anew.
$(BUILD)/settings: export SETTINGS = $(CC) $(WARNINGS) $(HARDEN) $(HARDEN_LINK) $(FORTIFY_LEVELS) \
	$(SANITIZER) $(DEFINES) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS) $(PKGS)
$(BUILD)/settings: FORCE | $(FIRST)
	@mkdir -p $(sort $(dir $(OBJECTS) $(UNITS) $(FUZZERS) $(SHIMS) $(LAUNCHER)))
	@printf '%s\n' "$$SETTINGS" | cmp -s - $@ || printf '%s\n' "$$SETTINGS" >$@

# Flags go to files that the compiler reads by @. A $(shell) would look for them before deps has run.
$(BUILD)/cflags: $(BUILD)/settings Makefile
	@$(call need,$(firstword $(CC))); $(call need,$(PKG_CONFIG)); \
	$(PKG_CONFIG) --print-errors --exists $(PKGS) || { echo "run 'make deps'" >&2; exit 1; }; \
	works() { printf '%s\nint main(void) { return 0; }\n' "$$source" | \
		$(CC) -Werror $(CPPFLAGS) $(CFLAGS) "$$@" -x c -o $@.probe - -x none $$libs 2>/dev/null; }; \
	cflags='-std=c11 -pthread $(WARNINGS) $(SANITIZER)'; ldflags='-pthread $(SANITIZER)'; \
	for flag in $(HARDEN); do works -c $$flag && cflags="$$cflags $$flag"; done; \
	for flag in $(HARDEN_LINK); do works -fPIE $$flag && ldflags="$$ldflags $$flag"; done; \
	for level in $(FORTIFY_LEVELS); do \
		fortify="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$$level"; \
		source=$$(printf '%s\n' '#include <stdio.h>' \
			"#if defined __GLIBC__ && __USE_FORTIFY_LEVEL < $$level" '#error' '#endif'); \
		works -c $$fortify && cflags="$$cflags $$fortify" && break; \
	done; \
	source=$$(printf '%s\n' '#include <xxhash.h>' '#include <xxh_x86dispatch.h>' \
		'XXH_errorcode (*update)(XXH3_state_t *, const void *, size_t) = XXH3_128bits_update;'); \
	libs=$$($(PKG_CONFIG) --libs $(PKGS)); \
	works $$($(PKG_CONFIG) --cflags $(PKGS)) && cflags="$$cflags -DHAVE_XXH_X86DISPATCH"; \
	cflags="$$cflags -DBUILT_WITH_LIBBSD=\\\"$$($(PKG_CONFIG) --modversion libbsd-overlay)\\\""; \
	rm -f $@.probe; echo "$$ldflags" >$(BUILD)/ldflags; \
	printf '%s\n' "$$cflags $$($(PKG_CONFIG) --cflags $(PKGS))" >$@

compile = $(CC) @$(BUILD)/cflags $(DEFINES) -Isrc $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
link = $(CC) $(CFLAGS) @$(BUILD)/ldflags $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	$$($(PKG_CONFIG) --libs $(PKGS)) $(LDLIBS) $(ORACLE)

$(OBJECTS): $(BUILD)/%.o: src/%.c $(BUILD)/cflags
	$(compile)

$(LAUNCHER).o $(UNITS:=.o) $(FUZZERS:=.o) $(FUZZ_DRIVER): $(BUILD)/%.o: test/%.c $(BUILD)/cflags
	$(compile) -Itest/unit

$(PROGRAM): $(OBJECTS)
	$(link)

# It is made anew each time, or it would keep the objects of sources that are gone.
$(ARCHIVE): $(filter-out $(BUILD)/cli/main.o,$(OBJECTS))
	@rm -f $@
	$(AR) qcs $@ $^

# Our reader of archives is held against libarchive, where that is installed.
$(BUILD)/fuzz/pax_read: private ORACLE = $$($(PKG_CONFIG) --silence-errors --libs libarchive)

$(FUZZERS): $(FUZZ_DRIVER)
$(UNITS) $(FUZZERS): %: %.o $(ARCHIVE)
	$(link)

$(LAUNCHER): %: %.o
	$(link)

-include $(OBJECTS:.o=.d) $(UNITS:=.d) $(FUZZERS:=.d) $(FUZZ_DRIVER:.o=.d) $(LAUNCHER).d

# Preloaded into programs of any build, and never instrumented or fortified themselves.
$(BUILD)/shim/%.so: test/shim/%.c test/shim/next.h $(BUILD)/settings
	$(CC) -std=c11 $(WARNINGS) $(DEFINES) $(CFLAGS) -U_FORTIFY_SOURCE -fno-builtin -fPIC -shared -pthread \
		-o $@ $< -ldl

compare: all ## run sockxfer and the tools like it through the same faults, and print who noticed
	@python3 test/compare/compare.py --repeat 5 $(PROGRAM)

bench: all ## measure sockxfer beside the tools like it; BENCH='--cases tmpfs --rounds 5' narrows it
	@python3 -B test/bench/bench.py --csv $(BUILD)/bench.csv $(BENCH) $(PROGRAM)

# For the sanitizers: make soak BUILD=build/asan SANITIZE=address,undefined
soak: all ## run servers of many under random faults for SOAK_SECONDS=600; SOAK='--seed N' repeats one
	@python3 -B test/crowd/soak.py --seconds $(SOAK_SECONDS) $(SOAK) $(or $(SOCKXFER),$(PROGRAM))

large: programs ## send sparse files of 5 GiB over each transport
	@$(run_tests) $(LARGE)

# Some minutes; CRASH='--systems xfs --modes default' narrows it.
crash: all ## cut the power during transfers, on each file system there is, and print which promise held
	@python3 -B test/fault/crash.py $(CRASH) $(PROGRAM)

# One that was ended goes on, by its log, as long as the program is the same.
sweep: all $(SHIMS) ## make each system call of each transfer fail, for an hour; SWEEP_SHARE=0.1 is a tenth
	@python3 -B test/fault/sweep.py --share $(SWEEP_SHARE) --log $(BUILD)/sweep.log $(SWEEP) $(PROGRAM) \
		$(BUILD)/shim/pause.so

bench-plot: ## draw throughput by size, from the CSV of `make bench`, as test/bench/throughput.png
	@$(call need,gnuplot)
	@python3 -B test/bench/plot.py $(BUILD)/bench.csv test/bench/throughput.png

check: programs ## run all tests; TESTS=test/x.bats and BATS_FLAGS='-f words' narrow it
	@$(run_tests) $(UNITS) $(FUZZERS) $(TESTS)

unit: $(UNITS) $(FUZZERS) ## run the unit tests, and the fuzz targets on their corpora
	@$(run_tests) $(UNITS) $(FUZZERS)

# Optimization would move branches about; without it gcc takes some texts for too long that are not.
# GCOV='llvm-cov gcov' goes with CC=clang.
coverage: ## run the unit tests, and print how much of each source file they reach
	@$(call need,$(firstword $(GCOV)))
	@+$(MAKE) --no-print-directory BUILD=build/coverage \
		CFLAGS='-O0 -g --coverage -Wno-format-truncation' coverage-run
coverage-run: $(OBJECTS) $(UNITS)
	@find $(BUILD) -name '*.gcda' -delete
	@$(run_tests) $(UNITS)
	@GCOV='$(GCOV)' test/tools/coverage $(BUILD) $(SOURCES)

fuzz: ## look for inputs that break the parsers, each for FUZZ_SECONDS=600
	@$(call need,clang)
	@+$(MAKE) --no-print-directory BUILD=build/libfuzzer CC=clang FUZZ_DRIVER= \
		SANITIZE=fuzzer-no-link,address,undefined LDFLAGS='$(LDFLAGS) -fsanitize=fuzzer' fuzz-run
# What it finds is kept in build/; what breaks a parser belongs into test/fuzz/corpus/ once it is mended.
fuzz-run: $(FUZZERS)
	@for fuzzer in $(FUZZERS); do \
		name=$${fuzzer##*/}; mkdir -p $$fuzzer.corpus; echo "fuzz: $$name"; \
		$$fuzzer -max_total_time=$(FUZZ_SECONDS) -max_len=2048 -timeout=10 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$$fuzzer. $$fuzzer.corpus test/fuzz/corpus/$$name || exit 1; \
	done

# Reports go to files: each is a failure, even where a test expects that the program fails.
asan: ## run all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@+$(MAKE) --no-print-directory BUILD=build/asan SANITIZE=address,undefined asan-check
asan-check: OPTIONS = exitcode=86:log_path=$(REPORTS)/sanitizer:detect_leaks=1
asan-check: export ASAN_OPTIONS = $(OPTIONS):detect_stack_use_after_return=1
asan-check: export UBSAN_OPTIONS = $(OPTIONS):print_stacktrace=1
asan-check: programs
	@rm -rf $(REPORTS); mkdir -m 1777 $(REPORTS)
	@$(run_tests) $(UNITS) $(FUZZERS) $(TESTS) test/tools/reports

valgrind: REPORTS = $(abspath $(BUILD))/valgrind
valgrind: UNDER_TEST = $(CURDIR)/test/tools/valgrind-sockxfer
valgrind: all $(LAUNCHER) ## run the black-box tests under valgrind
	@$(call need,valgrind); rm -rf $(REPORTS); mkdir -m 1777 $(REPORTS)
	@$(run_tests) $(TESTS) test/tools/reports

lint: lint-format lint-tidy lint-cppcheck lint-man lint-shell lint-gcc lint-clang ## static analysis

lint-format: | $(FIRST)
	@$(call need,clang-format)
	clang-format --dry-run --Werror $(C_FILES)

lint-tidy: $(BUILD)/cflags
	@$(call need,clang-tidy)
	printf '%s\n' $(SOURCES) | xargs -P 2 -I % clang-tidy --quiet % -- \
		-std=c11 $(DEFINES) -Isrc $(WARNINGS) $$($(PKG_CONFIG) --cflags $(PKGS)) \
		2>$(BUILD)/tidy || { grep -v 'warnings* generated' $(BUILD)/tidy >&2; exit 1; }

# Scope: a function's buffers are declared at its top, for the reader. Unreachable: cppcheck takes raise(3)
# for a function that never returns. Readdir: readdir_r(3) is deprecated, and a stream is used by one thread.
lint-cppcheck: | $(FIRST)
	@$(call need,cppcheck)
	cppcheck --quiet --error-exitcode=1 --enable=warning,style,performance,portability \
		--suppress=missingIncludeSystem --suppress=variableScope --suppress=readdirCalled \
		--suppress=unreachableCode:src/sys/signals.c --inline-suppr \
		--std=c11 --library=posix $(DEFINES) -Isrc src

lint-man: | $(FIRST)
	@$(call need,mandoc)
	mandoc -Tlint -Wwarning man/sockxfer.1

# 2034 and 2154: a .bats file and helper.bash use each other's variables.
lint-shell: | $(FIRST)
	@$(call need,shellcheck)
	shellcheck -x $(SCRIPTS)
	shellcheck -S warning -e SC2034,SC2154 $(BATS_FILES)
	shellcheck src/completion/sockxfer.bash

lint-gcc lint-clang: lint-%: | $(FIRST)
	@$(call need,$*)
	@+$(MAKE) --no-print-directory CC=$* WERROR=1 BUILD=build/$* programs

format: ## lay out the C files as lint wants them
	@$(call need,clang-format)
	clang-format -i $(C_FILES)

demo: all ## move a picture through a real receiver and sender
	@test/tools/demo ./$(PROGRAM) test/data/picture.jpg

deps: ## install what is missing, by the system's package manager; DEPS=build for the build only
	@test/tools/deps $(DEPS)
deps: DEPS ?= $(if $(filter bench,$(MAKECMDGOALS)),build test peer bench,$\
	$(if $(filter demo,$(MAKECMDGOALS)),$(if $(filter check,$(MAKECMDGOALS)),,build)))

install: all ## copy the program, its manual page and completions to DESTDIR PREFIX
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(MANDIR)/man1 $(BASHCOMPDIR) $(ZSHCOMPDIR) $(FISHCOMPDIR))
	install -m 755 $(PROGRAM) $(DESTDIR)$(BINDIR)/sockxfer
	install -m 644 man/sockxfer.1 $(DESTDIR)$(MANDIR)/man1/sockxfer.1
	install -m 644 src/completion/sockxfer.bash $(DESTDIR)$(BASHCOMPDIR)/sockxfer
	install -m 644 src/completion/_sockxfer $(DESTDIR)$(ZSHCOMPDIR)/_sockxfer
	install -m 644 src/completion/sockxfer.fish $(DESTDIR)$(FISHCOMPDIR)/sockxfer.fish

uninstall: ## remove them
	rm -f $(DESTDIR)$(BINDIR)/sockxfer $(DESTDIR)$(MANDIR)/man1/sockxfer.1
	rm -f $(DESTDIR)$(BASHCOMPDIR)/sockxfer $(DESTDIR)$(ZSHCOMPDIR)/_sockxfer
	rm -f $(DESTDIR)$(FISHCOMPDIR)/sockxfer.fish

dist: ## make sockxfer-VERSION.tar.gz of the last commit
	@$(call need,git)
	git archive --prefix=sockxfer-$(VERSION)/ -o sockxfer-$(VERSION).tar.gz HEAD

clean: ## remove what was built
	rm -rf build sockxfer sockxfer-$(VERSION).tar.gz

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1	/p' Makefile | expand -t 12
