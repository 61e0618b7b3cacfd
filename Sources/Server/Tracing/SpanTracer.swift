import Synchronization
import Tracing

/// Makes spans for swift-distributed-tracing, of which those that are sampled go to a queue. Not the process's global tracer:
/// each server of a process has its own.
struct SpanTracer: Tracer {
    let queue: SpanQueue

    func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> RequestSpan {
        var context = context()
        let parent = context.trace ?? TraceContext(sampling: 0)
        let place = parent.child()
        context.trace = place
        return RequestSpan(
            context, queue,
            RequestSpan.Record(
                place: place, parent: parent.span, name: operationName, isServer: kind == .server,
                start: instant().nanosecondsSinceEpoch))
    }

    /// A stage that has been done in this task, by the clock that measures it.
    func record(_ name: String, _ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant) {
        guard let trace = InstrumentationContext.current?.trace, trace.isSampled else { return }
        let (now, wall) = (ContinuousClock.now, DefaultTracerClock.now.nanosecondsSinceEpoch)
        let time = { (instant: ContinuousClock.Instant) in
            DefaultTracerClock.Timestamp(
                nanosecondsSinceEpoch: wall - UInt64(max(instant.duration(to: now).seconds * 1e9, 0)))
        }
        startSpan(name, at: time(start)).end(at: time(end))
    }

    func forceFlush() {}

    // Nothing is asked of others.
    func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {}

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context.trace = extractor.extract(key: "traceparent", from: carrier).flatMap(TraceContext.init)
    }
}

/// A part of a request that is being timed.
final class RequestSpan: Span {
    /// What is known of it.
    struct Record: Sendable {
        let place: TraceContext
        let parent: String?
        var name: String
        let isServer: Bool
        /// Since 1970, in nanoseconds.
        let start: UInt64
        var end: UInt64 = 0
        var attributes: SpanAttributes = [:]
        var hasFailed = false
    }

    let context: InstrumentationContext
    private let queue: SpanQueue
    private let record: Mutex<Record>

    init(_ context: InstrumentationContext, _ queue: SpanQueue, _ record: Record) {
        (self.context, self.queue) = (context, queue)
        self.record = Mutex(record)
        isRecording = record.place.isSampled
    }

    let isRecording: Bool
    var operationName: String {
        get { record.withLock { $0.name } }
        set { record.withLock { $0.name = newValue } }
    }
    var attributes: SpanAttributes {
        get { record.withLock { $0.attributes } }
        set { record.withLock { $0.attributes = newValue } }
    }

    func setStatus(_ status: SpanStatus) { record.withLock { $0.hasFailed = status.code == .error } }

    func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        // What it says may name somebody.
        record.withLock { $0.hasFailed = true }
    }

    func addEvent(_ event: SpanEvent) {}
    func addLink(_ link: SpanLink) {}

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard isRecording else { return }
        let end = instant().nanosecondsSinceEpoch
        queue.add(
            record.withLock { record in
                record.end = end
                return record
            })
    }
}

/// Spans that have ended and wait to be exported, a bounded number: what comes beyond it is dropped.
final class SpanQueue: Sendable {
    private static let most = 2048

    private let metrics: ServerMetrics
    private let spans = Mutex<[RequestSpan.Record]>([])

    init(_ metrics: ServerMetrics) { self.metrics = metrics }

    func add(_ span: RequestSpan.Record) {
        let isKept = spans.withLock { spans in
            guard spans.count < Self.most else { return false }
            spans.append(span)
            return true
        }
        if !isKept { metrics.spans(dropped: 1) }
    }

    /// Takes the oldest.
    func take(_ count: Int) -> [RequestSpan.Record] {
        spans.withLock { spans in
            defer { spans.removeFirst(min(count, spans.count)) }
            return Array(spans.prefix(count))
        }
    }
}
