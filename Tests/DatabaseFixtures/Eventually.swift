import Testing

/// Waits until something holds, as what one server of a database knows reaches another; an expectation fails if it does not by then.
package func eventually(
    _ what: Comment, within patience: Duration = .seconds(240), sourceLocation: SourceLocation = #_sourceLocation,
    _ holds: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + patience
    while .now < deadline {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record(what, sourceLocation: sourceLocation)
}
