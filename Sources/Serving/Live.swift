import Synchronization

/// A value that may be exchanged while others read it; each sees it whole.
package final class Live<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    package init(_ value: Value) { self.value = Mutex(value) }

    /// As it is now.
    package var current: Value { value.withLock { $0 } }

    /// From now on.
    package func set(_ value: Value) { self.value.withLock { $0 = value } }
}
