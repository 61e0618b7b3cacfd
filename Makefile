# The two commands of a newcomer are `make demo` and `make test`; both install what they need.
SWIFT_FLAGS := -c release

.PHONY: demo test build dependencies format lint clean

demo: build
	deploy/demo.sh

# Suites run side by side: OpenMP's threads must not spin while they wait for one another.
test: dependencies
	swift build $(SWIFT_FLAGS) --build-tests
	OMP_WAIT_POLICY=passive swift test $(SWIFT_FLAGS) --skip-build

build: dependencies
	swift build $(SWIFT_FLAGS) --product triptych

dependencies:
	@deploy/dependencies.sh

format:
	swift format -i -r Sources Tests Package.swift

lint:
	swift format lint --strict -r Sources Tests Package.swift

clean:
	rm -rf .build demo
