# make build   bin/cutaway with everything it embeds; needs no root
# make tour    the whole course in one go, in a microVM; needs no root
# make test    every check and every test, as root
# make test-kernels  of those the kernel tests in microVMs, on three kernels; needs no root
# make test-arm64    the tour on an emulated arm64 machine; needs no root
# make test-vagrant  a box made, a Vagrant machine from it, the tour there; as root
# make kit     one archive for a room without network: program, images, kernel
# make lima    a Lima machine with cutaway in it, for macOS
# make bench   how long a container takes to start, beside other tools
# make clean   undo what a killed run left, remove what was built
#
# A second run of any of them downloads nothing.

GO ?= go
GOARCH := $(shell $(GO) env GOARCH)
# As the programs must be: static, without paths of this machine in them, and
# the same in a checkout that belongs to somebody else.
export CGO_ENABLED := 0
# What the program says it is; git is content with anybody's checkout here.
VERSION := $(shell git -c safe.directory='*' describe --always --tags --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w
BUILD = $(GO) build $(OVERLAY) -buildvcs=false -trimpath -ldflags "$(LDFLAGS)"
# sudo for those who need it; without it, root has to call make itself.
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# Set in a machine that was made to build containers on.
LAB := $(wildcard /etc/cutaway-machine)

# Where programs go, and what the main one embeds; test-arm64 has others.
OUT := bin
BUILTIN := sandbox/image/builtin
IMAGE := $(BUILTIN)/image.tar
DIGEST := sandbox/image/store/builtin.digest
PROBE := $(BUILTIN)/probe.bin
INIT := sandbox/initbin/cutaway-init
WHOLE := cmd/front/program/cutaway

# cutaway is a program for Linux. On another system it is built for a Linux
# machine there, and as there is no busybox to be had, without the image: the
# machine makes that from its own busybox and from the probe.
SYSTEM := $(shell uname -s)
ifeq ($(SYSTEM),Linux)
EMBEDDED := $(IMAGE) $(INIT)
else
EMBEDDED := $(PROBE) $(INIT)
export GOOS := linux
endif

.PHONY: build tour kit test test-kernels test-arm64 test-vagrant lima bench clean lint FORCE
.DELETE_ON_ERROR:

build: $(OUT)/cutaway

# Go knows what its programs depend on better than a list here could, and
# builds nothing twice; so it is always asked.
$(WHOLE): private LDFLAGS += -X main.version=$(VERSION)
$(WHOLE): $(EMBEDDED) FORCE
	$(BUILD) -o $@ ./cmd/cutaway

# What people start is small, and has the other one in it. It is a copy of what the
# linker has written page by page: in the page cache it lies in larger pieces, and a
# container starts a twentieth faster.
$(OUT)/cutaway: $(WHOLE)
	$(BUILD) -o $(OUT)/front ./cmd/front
	@cmp -s $(OUT)/front $@ || { rm -f $@ && cp $(OUT)/front $@; }

# Its digest is embedded beside it: taking it at run time would take longer than
# a container does. The tag leaves out what only the host does, see
# sandbox/op/elsewhere.go.
$(INIT): FORCE | packages-build
	$(BUILD) -tags init -o $@ ./cmd/cutaway-init
	@{ sha256sum <$@ 2>/dev/null || shasum -a 256 <$@; } | cut -c1-64 >$@.sha256

# The probe goes into the image, and the image takes a while: these two have
# their dependencies written down.
$(OUT)/probe: $(filter-out %_test.go,$(wildcard cmd/probe/*.go)) $(OUT)/arch | packages-build
	$(BUILD) -o $@ ./cmd/probe

$(PROBE): bin/probe
	cp bin/probe $@

# Where there is no apt-get to fetch a static busybox with, the host's is used.
# The generator runs here, whatever GOARCH the image is for. It writes the image's
# digest as well; where that is missing, the image is made once more.
$(IMAGE): $(OUT)/probe $(if $(wildcard $(DIGEST)),,FORCE) $(filter-out %_test.go,$(wildcard sandbox/image/builtin*.go)) $(shell find $(BUILTIN)/layers $(BUILTIN)/generate $(BUILTIN)/applets.txt -type f ! -name '*_test.go')
	command -v apt-get >/dev/null || vm/packages.sh install busybox
	GOARCH= $(GO) run ./$(BUILTIN)/generate -arch $(GOARCH) -probe $(OUT)/probe -o $@ -digest $(DIGEST)

# This file changes when GOARCH does, and makes probe and image follow.
$(OUT)/arch: FORCE
	@mkdir -p $(OUT)
	@echo $(GOARCH) | cmp -s - $@ || echo $(GOARCH) >$@

packages-%:
	@vm/packages.sh install $*

ifeq ($(SYSTEM),Linux)
tour: $(if $(LAB),packages-lab,packages-vm) build
	@$(if $(LAB),$(ROOT)) bin/cutaway tour
else
tour: lima
	limactl shell --workdir / cutaway sudo cutaway tour
endif

kit: packages-vm build
	vm/kit.sh $(OUT)/cutaway-kit.tar.gz

# One package after the other (-p 1), because each kernel test ends by asserting
# that the host is as it was; never from the cache, because the kernel under the
# tests is not among its keys.
test: packages-lab packages-busybox packages-test packages-vm build lint
	@[ -z "$(ROOT)" ] || { echo "cutaway: make test needs root: sudo -E make test" >&2; exit 3; }
	@rm -f $(CURDIR)/$(OUT)/figures
	CUTAWAY_FIGURES=$(CURDIR)/$(OUT)/figures $(GO) test -count=1 -p 1 -timeout 20m $$($(GO) list ./... | grep -vE '/vm/(kernels|vagrant)$$')
	@cat $(OUT)/figures
	$(KERNELS)

# The kernel tests once more, in microVMs on three kernels under cgroup v2; aloud,
# because every skipped test is to be seen.
KERNELS = $(GO) test -count=1 -v -timeout 30m -skip TestARM64 ./vm/kernels

test-kernels: packages-vm packages-test build
	$(KERNELS)

# An arm64 build beside this one: what it embeds takes the place of what this one
# does (go help build, -overlay).
ARM := bin/arm64

test-arm64: packages-test-arm64 build
	@mkdir -p $(ARM)
	@printf '{"Replace": {"%s": "%s", "%s": "%s", "%s": "%s", "%s": "%s", "%s": "%s"}}\n' \
		$(CURDIR)/$(IMAGE) $(CURDIR)/$(ARM)/image.tar $(CURDIR)/$(DIGEST) $(CURDIR)/$(ARM)/image.digest $(CURDIR)/$(INIT) $(CURDIR)/$(ARM)/init \
		$(CURDIR)/$(INIT).sha256 $(CURDIR)/$(ARM)/init.sha256 $(CURDIR)/$(WHOLE) $(CURDIR)/$(ARM)/whole >$(ARM)/overlay.json
	$(MAKE) GOARCH=arm64 OUT=$(ARM) IMAGE=$(ARM)/image.tar DIGEST=$(ARM)/image.digest INIT=$(ARM)/init WHOLE=$(ARM)/whole OVERLAY="-overlay $(ARM)/overlay.json" build
	$(GO) test -count=1 -v -timeout 28m -run TestARM64 ./vm/kernels

# From Debian's archive to a whole machine, in software emulation if need be:
# ten minutes, and packages that nothing else here wants.
test-vagrant: packages-test-vagrant packages-box packages-vm build
	@[ -z "$(ROOT)" ] || { echo "cutaway: make test-vagrant needs root: sudo -E make test-vagrant" >&2; exit 3; }
	$(GO) test -count=1 -v -timeout 50m ./vm/vagrant

# Made once; then the machine gets what was built since.
lima: build
	@vm/packages.sh check lima
	limactl list --quiet | grep -qx cutaway || \
		limactl create --tty=false --name=cutaway --set '.param.project = "$(CURDIR)"' vm/lima.yaml
	limactl start cutaway
	limactl shell --workdir / cutaway sudo sh /opt/cutaway/vm/provision.sh lima
	@echo "limactl shell cutaway: type cutaway there"

lint: $(IMAGE) $(INIT)
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not gofmt-ed:" $$unformatted; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags init -tests=false ./sandbox/op

bench: packages-bench build
	.ci/bench

# What a tour with sudo left belongs to root: then cutaway says so and stops,
# and `sudo make clean` it is.
clean:
	@if [ -x bin/cutaway ]; then bin/cutaway clean; fi
	rm -rf bin $(WHOLE) $(IMAGE) $(DIGEST) $(PROBE) $(INIT) $(INIT).sha256

FORCE:
