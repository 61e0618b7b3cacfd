import Collections
import Foundation
import Synchronization

/// A dedicated thread for arithmetic.
///
/// OpenMP gives each calling thread a team of its own, so arithmetic from many threads would oversubscribe the cores;
/// and a long computation on Swift's cooperative pool would hold up every other task. All work therefore goes through
/// one of these, in the order of submission.
public final class ComputeThread: Sendable {
    /// The process's compute thread. Everything that computes shares it unless it has a reason for its own.
    public static let shared = ComputeThread(name: "compute")

    /// For what comes before arithmetic: it waits for none, and none for it.
    public static let preparation = ComputeThread(name: "preparation")

    /// For arithmetic that nobody waits for: its threads get cores that others leave free. OpenMP's threads inherit that.
    public static let background: ComputeThread = {
        // A thread inherits the priority of the one that starts it, so this one must not be the first to ask for the others.
        _ = (shared, preparation)
        return ComputeThread(name: "background", isBackground: true)
    }()

    private typealias Job = @Sendable () -> Void

    private final class Queue: Sendable {
        let jobs = Mutex<Deque<Job?>>([])
        let available = DispatchSemaphore(value: 0)

        /// Adds a job; nil ends the thread.
        func add(_ job: Job?) {
            jobs.withLock { $0.append(job) }
            available.signal()
        }

        func runUntilEnded() {
            while true {
                available.wait()
                guard let job = jobs.withLock({ $0.popFirst() }) ?? nil else { return }
                job()
            }
        }
    }

    private let queue = Queue()
    /// Of a thread in the background: who tells others that work is done. They may start threads for what follows, which
    /// would inherit the low priority, for good.
    private let results: Queue?

    /// Starts a thread; one in the background gives way to others.
    public init(name: String, isBackground: Bool = false) {
        results = isBackground ? Queue() : nil
        if let results { Self.start("\(name) results") { results.runUntilEnded() } }
        Self.start(name) { [queue] in
            if isBackground { Self.giveWay() }
            queue.runUntilEnded()
        }
    }

    private static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = 64 << 20  // Freeing a long tape recurses once for each operation.
        thread.start()
    }

    deinit {
        queue.add(nil)
        results?.add(nil)
    }

    /// Hands results on, from work on this thread.
    package func deliver(_ results: @escaping @Sendable () -> Void) {
        if let queue = self.results { queue.add(results) } else { results() }
    }

    /// Elsewhere than on Linux this would be the whole process's priority.
    private static func giveWay() {
        #if os(Linux)
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        #endif
    }

    /// Adds work that nobody waits for here.
    package func enqueue(_ work: @escaping @Sendable () -> Void) { queue.add(work) }

    /// How many jobs wait.
    public var depth: Int { queue.jobs.withLock { $0.count } }

    /// Runs `work` on the thread and returns its result, or throws its error. If the calling task is cancelled first, it
    /// throws `CancellationError` at once; work that has not begun is then never begun.
    public func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        let waiter = Waiter<T>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                queue.add {
                    guard waiter.isWaiting else { return }
                    let result = Result { try work() }
                    self.deliver { waiter.resume(with: result) }
                }
            }
        } onCancel: {
            waiter.resume(with: .failure(CancellationError()))
        }
    }
}

extension ComputeThread {
    /// Bounds how many cores arithmetic on this thread uses. OpenMP keeps the number for each calling thread, and is looked
    /// up in the process: which library it comes from is oneDNN's choice.
    /// - Returns: false if there is no OpenMP; then nothing has changed.
    @discardableResult
    public func useCores(_ count: Int) async throws -> Bool {
        try await run {
            guard let symbol = dlsym(nil, "omp_set_num_threads") else { return false }
            unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)(Int32(count))
            return true
        }
    }
}
