import Foundation
import GRDB
import Similarity

extension GalleryStore {
    public static let largestDimension = SimilarityBlock.largestDimension
    public func deleteJob(_ id: String) async throws {
        try await write { db in
            try db.execute(sql: "DELETE FROM job WHERE uuid = ? AND state <> 'running'", arguments: [id])
            if db.changesCount == 0 { throw GalleryError.notFound(.job, id) }
        }
    }
    public func deleteJobs(endedBefore date: Date) async throws {
        try await write { db in
            try db.execute(sql: "DELETE FROM job WHERE updated_at < ? AND state <> 'running'", arguments: [date.milliseconds])
        }
    }
}
