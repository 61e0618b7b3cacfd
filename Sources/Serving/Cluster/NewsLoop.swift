import Gallery

/// What is done again and again: at news of some kinds, and now and then besides, as news may be lost.
package struct NewsLoop: Sendable {
    let gallery: GalleryStore
    let kinds: Set<ServerNews>
    let interval: Duration

    package init(_ gallery: GalleryStore, _ kinds: Set<ServerNews>, every interval: Duration) {
        (self.gallery, self.kinds, self.interval) = (gallery, kinds, interval)
    }

    /// Until the task is cancelled. News that come while it is done are one more time.
    package func run(_ work: () async -> Void) async {
        let (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        gallery.observe { [kinds] news in if kinds.contains(news) { bell.yield() } }
        let clock = Task { [interval] in
            while !Task.isCancelled {
                bell.yield()
                try? await Task.sleep(for: interval)
            }
        }
        defer {
            clock.cancel()
            bell.finish()
        }
        for await _ in rings {
            if Task.isCancelled { break }
            await work()
        }
    }
}
