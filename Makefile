# Two commands do everything on a fresh machine: 'make demo' and 'make test'. 'make help' lists the rest.

TOOL := .build/debug/capsule-tool
RELEASE_TOOL := .build/release/capsule-tool
PREFIX ?= /usr/local
RUNS ?= 20000
IMAGES ?= 2000000
KILLS ?= 500

.PHONY: help deps build release demo test fuzz crash soak bench vectors format lint man completions install clean

help: ## what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

deps: ## install what is missing, or say what to type
	@Scripts/deps

build: deps ## capsule-tool, debug
	swift build --product capsule-tool

release: deps ## capsule-tool, optimised, with Swift's library inside
	swift build -c release --static-swift-stdlib --product capsule-tool

demo: build ## record a command and two streams at once; then runs, show, verify
	@Examples/demo/run $(TOOL)

test: deps ## all tests, the Python reader and the vectors among them
	swift test
	@cat .build/crash-figures.txt .build/crash-processes.txt

crash: deps build ## every way to crash: broken rules, IMAGES disk images, flips, failing calls; then KILLS real processes
	swift build -c release --product capsule-crash
	.build/release/capsule-crash mutants
	.build/release/capsule-crash --images $(IMAGES)
	Scripts/crash-processes $(TOOL) --kills $(KILLS) --injections 0

soak: deps build ## the same for a night: a billion images, 64 KiB flipped, 20,000 kills
	swift build -c release --product capsule-crash
	.build/release/capsule-crash --images 1000000000 --exhaustive 5 --flipped 64
	Scripts/crash-processes $(TOOL) --kills 20000 --injections 20000

fuzz: deps ## every parser under libFuzzer: RUNS inputs each
	Scripts/fuzz $(RUNS)

bench: release ## the figures of the README, side by side in one run
	CAPSULE_TOOL=$(abspath $(RELEASE_TOOL)) swift run -c release --package-path Benchmarks capsule-bench $(BENCH)

vectors: deps ## write spec/vectors, spec/schemas and what is generated of the policy anew
	CAPSULE_WRITE_VECTORS=1 swift test --filter 'VectorTests|SchemaTests|ModelPolicyTests|PolicyTestsTests'

format: ## format the sources
	swift format --in-place --parallel --recursive Sources Tests Package.swift

lint: ## what the formatter says
	swift format lint --parallel --recursive Sources Tests Package.swift

man: build ## manual pages, into .build/man
	Scripts/man $(TOOL) .build/man

completions: build ## shell completions, into .build/completions
	mkdir -p .build/completions
	for shell in bash zsh fish; do $(TOOL) --generate-completion-script $$shell > .build/completions/capsule-tool.$$shell; done

install: release man completions ## tool, manual pages and completions, under PREFIX
	install -D -m 755 $(RELEASE_TOOL) $(DESTDIR)$(PREFIX)/bin/capsule-tool
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	find .build/man -name '*.1' -exec install -m 644 {} $(DESTDIR)$(PREFIX)/share/man/man1/ \;
	install -D -m 644 .build/completions/capsule-tool.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/capsule-tool
	install -D -m 644 .build/completions/capsule-tool.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_capsule-tool
	install -D -m 644 .build/completions/capsule-tool.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/capsule-tool.fish

clean: ## forget what was built
	rm -rf .build Benchmarks/.build demo
