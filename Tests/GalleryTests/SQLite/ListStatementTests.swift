import Foundation
import GRDB
import Gallery
import Testing

/// Which indexes lists are read by.
struct ListStatementTests {
    private func plans(_ statement: ListStatement, after value: SQLValue, _ queue: DatabaseQueue) throws
        -> [String]
    {
        let requests =
            statement.requests(1, after: nil, limit: 3) + statement.requests(1, after: (value, 7), limit: 3)
        return try requests.map { request in
            try queue.read { db in
                try String.fetchAll(
                    db, sql: "EXPLAIN QUERY PLAN \(request.sql)", arguments: arguments(request),
                    adapter: SuffixRowAdapter(fromIndex: 3))
            }.joined(separator: "; ")
        }
    }

    private func arguments(_ request: SQLFragment) -> StatementArguments {
        StatementArguments(
            request.arguments.map { argument -> DatabaseValue in
                switch argument {
                case .integer(let number): number.databaseValue
                case .text(let text): text.databaseValue
                default: .null
                }
            })
    }

    @Test("A page of a sorted list is read from an index, and nothing but what is equal is sorted")
    func plans() async throws {
        try await withStore(on: [.sqlite]) { _, directory in
            let queue = try directory.connect()
            func check(_ statement: ListStatement, _ value: SQLValue, index: String) throws {
                for plan in try plans(statement, after: value, queue) {
                    let first = plan.prefix { $0 != ";" }
                    #expect(first.hasPrefix("SEARCH") && first.contains(index), "\(plan)")
                    // Of equal ones a few may be.
                    #expect(!plan.contains("TEMP B-TREE FOR ORDER BY"), "\(plan)")
                }
            }
            for isDescending in [false, true] {
                let all = IdentityListFilter()
                var (named, prefixed, unnamed) = (all, all, all)
                (named.label, prefixed.labelPrefix, unnamed.isLabelled) = ("x", "x", false)
                let text = SQLValue.text("x")
                for (filter, order, value, index) in [
                    (all, .created, .null, "(gallery_id=?"), (all, .name, text, "(gallery_id=?"),
                    (all, .label, text, "identity_by_label (gallery_id=? AND label"),
                    (all, .lastSeen, .integer(5), "identity_by_last_seen (gallery_id=? AND last_seen"),
                    (named, .created, .null, "identity_by_label (gallery_id=? AND label=?"),
                    (named, .label, text, "identity_by_label (gallery_id=? AND label"),
                    (prefixed, .label, text, "identity_by_label (gallery_id=? AND label"),
                    (unnamed, .created, .null, "identity_by_label (gallery_id=? AND label=?"),
                ] as [(IdentityListFilter, IdentityOrder, SQLValue, String)] {
                    try check(ListStatement(filter, order, isDescending: isDescending), value, index: index)
                }
                var since = SightingListFilter()
                since.capturedAfter = Date(timeIntervalSince1970: 3)
                try check(
                    ListStatement(SightingListFilter(), .created, isDescending: isDescending), .null,
                    index: "sighting_of_gallery (gallery_id=?")
                for filter in [SightingListFilter(), since] {
                    try check(
                        ListStatement(filter, .captured, isDescending: isDescending), .integer(5),
                        index: "sighting_captured (gallery_id=? AND captured_at")
                }
            }
            try queue.close()
        }
    }
}
