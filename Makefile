# The two commands of a newcomer are `make demo` and `make test`; both install what they need.
SWIFT_FLAGS := -c release

.PHONY: demo test build dependencies format lint asan tsan fuzz python contract console package operation failover site clean

demo: build
	deploy/demo.sh

# Suites run side by side: OpenMP's threads must not spin while they wait for one another. Those of the server by themselves:
# beside tests that compute for long on the same few threads its deadlines would pass.
test: dependencies
	swift build $(SWIFT_FLAGS) --build-tests
	OMP_WAIT_POLICY=passive swift test $(SWIFT_FLAGS) --skip-build --skip '^ServerTests\.'
	OMP_WAIT_POLICY=passive swift test $(SWIFT_FLAGS) --skip-build --filter '^ServerTests\.'

build: dependencies
	swift build $(SWIFT_FLAGS) --product triptych

dependencies:
	@deploy/dependencies.sh

format:
	swift format -i -r Sources Tests Package.swift

lint:
	swift format lint --strict -r Sources Tests Package.swift

# What is written in C, under AddressSanitizer and UndefinedBehaviorSanitizer, with each width of instructions.
asan: dependencies
	Tests/Sanitizers/run address ImagingTests SimilarityTests TensorTests

# What has threads, under ThreadSanitizer.
tsan: dependencies
	Tests/Sanitizers/run thread ThreadsTests GalleryTests ServingTests ServerTests

# SECONDS of each fuzzer, or of one: make fuzz SECONDS=60 FUZZERS=json
SECONDS := 600
fuzz: dependencies
	Tests/Fuzz/run $(SECONDS) $(FUZZERS)

# The Python client, installed in a new virtual environment, against the server that was built. PYTHON=python3.9 for another.
PYTHON := python3
python:
	rm -rf .build/python
	$(PYTHON) -m venv .build/python
	.build/python/bin/pip install -q './clients/python[test]'
	cd clients/python && ../../.build/python/bin/mypy --cache-dir=/dev/null && ../../.build/python/bin/pytest -p no:cacheprovider

# Thousands of requests that openapi.yaml allows, and some that it does not, to the server that was built, by Schemathesis.
EXAMPLES := 50
contract:
	rm -rf .build/contract
	$(PYTHON) -m venv .build/contract
	.build/contract/bin/pip install -q 'schemathesis==4.32.5'
	.build/contract/bin/python Tests/Contract/contract.py --examples $(EXAMPLES)

# The console in Chromium, as people use it, axe-core, and what a first visit costs, against the server that was built. PARTS="query keys"
# for some of it.
console:
	@deploy/dependencies.sh chromium fonts-liberation
	rm -rf .build/console
	$(PYTHON) -m venv .build/console
	.build/console/bin/pip install -q 'playwright==1.65.2' 'axe-playwright-python==0.1.8'
	.build/console/bin/python Tests/Console/console.py $(PARTS:%=--only %)

# A Debian package, .build-package/triptych_*.deb, whose executable has Swift's runtime libraries within: a release build of its own.
package: dependencies
	deploy/package.sh

# What operators have, used: nginx before the server that was built, HAProxy before three, Prometheus over it, Kubernetes' manifests, and, as
# root, the incidents of docs/incidents.md, the package and the container's steps in a bare Debian. ONLY="proxy monitoring" for some.
ONLY := proxy balancer monitoring manifests incidents package containers
operation:
	Tests/Operation/run $(ONLY)

# A gallery in PostgreSQL whose certificate is wrong, whose primary dies, that is cut off, slow, full, has another time, or is restored, on
# clusters of the scripts' own. As root all of it. PARTS="standby restore" for some.
failover: build
	Tests/Failover/run $(PARTS)

# A site of all documents, every link checked, and of the Swift library's symbols: .build-site/site.
site: build
	rm -rf .build/site
	$(PYTHON) -m venv .build/site
	.build/site/bin/pip install -q 'mkdocs==1.6.1' 'mkdocs-material==9.8.2'
	.build/site/bin/python docs/site/build.py

clean:
	rm -rf .build .build-address .build-thread .build-fuzz .build-package .build-site demo
