import Foundation

/// What keeps galleries, behind `GalleryStore`: whole transactions, and reads that see one moment each.
///
/// A transaction keeps every promise of a gallery or changes nothing: names are unique among what is not erased, a sighting has
/// an identity, its images and vectors live and die with it, an idempotency key gives one sighting, counts are true. It is
/// durable when its method returns, and `indexes` have its changes by then, in the order of commits. What was erased is found
/// nowhere from the return on; its bytes may go later, see `erasure`. Changes are written down for the audit log, and as events, with
/// themselves. Arguments were validated. All methods throw
/// `GalleryError`, `.notFound` for what they name and `.busy`, `.full` or `.storage` at any time, or `CancellationError`, and
/// none blocks Swift's cooperative pool.
protocol GalleryTransactions: ServerLedger {
    /// The indexes that follow what is committed.
    var indexes: IndexRegistry { get }
    /// How far they are.
    var progress: IndexProgress { get }
    /// Whether it is this server that does what one does for all that share the database.
    var isLeader: Bool { get }
    /// Has the indexes follow all that is committed by now. False if they had nothing to follow.
    @discardableResult func follow() async throws -> Bool
    /// Those that share it; none where there can be only one.
    func members() async throws -> [GalleryMember]
    /// What they write down for each other; nil as above.
    var sharedLedger: (any SharedLedger)? { get }
    /// Where it is.
    var path: String { get }
    /// What the start found to be wrong.
    var damage: GalleryDamage { get }
    /// How far the erasures are that have been asked for.
    var erasure: ErasureStatus { get }
    /// What it takes on its disk.
    var storage: StorageStatus { get }

    /// Ends it; every later call fails. Waits for calls in progress.
    func close() async throws
    /// Writes a consistent copy of everything into a file.
    func backup(to path: String) async throws
    /// Throws `.storage` with what is broken.
    func checkIntegrity() async throws
    /// Whether a commit waits until the disk has it.
    func isDurable() async throws -> Bool

    /// Throws `.alreadyExists`.
    func createGallery(_ gallery: GalleryRecord) async throws
    func updateGallery(_ name: String, _ patch: GalleryPatch) async throws -> GalleryRecord
    func galleries(among names: [String]?, _ page: PageRequest) async throws -> Page<GalleryRecord>
    func gallery(_ name: String) async throws -> GallerySummary
    /// Those with the most sightings, the largest first.
    func largestGalleries(_ count: Int) async throws -> [GalleryTally]
    func requireGallery(_ name: String) async throws
    func deleteGallery(_ name: String) async throws

    /// Makes those that are valid and not there yet, or throws. False for what is there, `.notFound` for one that is not there and
    /// that it should be told apart from.
    func createIdentities(
        _ identities: [Result<NewIdentity, any Error>], in gallery: String
    ) async throws -> [Result<Bool, any Error>]
    func updateIdentity(_ id: String, in gallery: String, _ patch: IdentityPatch) async throws -> IdentityRecord
    func identities(
        in gallery: String, _ filter: IdentityListFilter, _ page: SortedPageRequest<IdentityOrder>
    ) async throws -> Page<IdentityRecord>
    func identity(_ id: String, in gallery: String) async throws -> IdentityRecord
    func deleteIdentity(_ id: String, in gallery: String) async throws

    /// Enrols all of those that are valid, in their order, or throws; with events or without.
    func enrol(
        _ enrolments: [Result<Enrolment, any Error>], in gallery: String, isAnnounced: Bool
    ) async throws -> [Result<EnrolmentReceipt, any Error>]
    /// What an enrolment with the same key has given, and as durably as that if it is to be told. Throws `.idempotencyConflict`.
    func enrolled(
        before enrolment: Enrolment, in gallery: String, acknowledging: Bool
    ) async throws -> EnrolmentReceipt?
    func sightings(of identity: String, in gallery: String, _ page: PageRequest) async throws -> Page<SightingRecord>
    func sightings(
        in gallery: String, _ filter: SightingListFilter, _ page: SortedPageRequest<SightingOrder>
    ) async throws -> Page<SightingRecord>
    /// Counts at one moment; is cancelled with its task.
    func facets(in gallery: String, _ filter: SightingListFilter, by bucket: TimeBucket) async throws -> GalleryFacets
    func sighting(_ id: String, in gallery: String) async throws -> SightingRecord
    func updateSighting(_ id: String, in gallery: String, _ patch: SightingPatch) async throws -> SightingRecord
    func image(_ modality: String, of sighting: String, in gallery: String) async throws -> KeptImage
    func images(of sighting: String, in gallery: String) async throws -> [ImageRecord]
    func exportBatch(
        in gallery: String, model: String, limit: Int, after key: Int64
    ) async throws -> (sightings: [ExportedSighting], next: Int64?)
    func deleteSighting(_ id: String, in gallery: String) async throws
    func eraseSightings(_ filter: QueryFilter, in gallery: String) async throws -> Int
    func eraseExpired(at now: Date) async throws -> Int

    /// Throws `.alreadyExists` for a name that is taken, `.outdated` for what cannot be undone. A split tells the two apart; what is
    /// merged into an identity passes on whom it was told apart from.
    func correct(_ change: CorrectionChange, in gallery: String) async throws -> Correction
    func corrections(in gallery: String, _ page: PageRequest) async throws -> Page<Correction>
    /// Whom each of some identities was told apart from, the last one first; without those that are there no more, and without
    /// those that were told apart from nobody.
    func distinctions(of identities: [String], in gallery: String) async throws -> [String: [Distinction]]

    /// The last event that was committed.
    var lastEvent: Int64 { get }
    func events(after last: Int64, _ filter: EventFilter) async throws -> EventBatch
    func forgetEvents(before time: Date) async throws

    func thresholds(in gallery: String) async throws -> [MatchThreshold]
    /// In place of the model's.
    func setThresholds(_ thresholds: [MatchThreshold], model: String, in gallery: String) async throws
    /// Decides whose a passage is and enrols it, or leaves it; there is no verdict of what was enrolled before with the same key.
    func identify(
        _ passage: IdentifyingTransaction, in gallery: String
    ) async throws -> (outcome: IdentifyingTransaction.Outcome, verdict: Verdict?)

    /// Leaves out what is there already, or was erased.
    func addEmbeddings(_ additions: [EmbeddingAddition]) async throws -> Int
    /// Leaves out all but sightings whose vectors say less: that are fused, or one a modality where one a set comes.
    func replaceEmbeddings(_ replacements: [EmbeddingAddition]) async throws -> Int
    func embedding(of sighting: String, in gallery: String, model: String) async throws -> SightingEmbedding?
    func deleteEmbeddings(model: String) async throws
    func models() async throws -> [ModelCoverage]
    func sightingCount() async throws -> Int
    func lacking(model: String, standIn other: String?) async throws -> LackingSightings
    func pendingCount(_ pending: PendingVectors, model: String) async throws -> Int
    func pendingBatch(
        _ pending: PendingVectors, model: String, limit: Int, after key: Int64
    ) async throws -> PendingBatch
    func sample(count: Int) async throws -> [Int64]
    func sampled(_ row: Int64) async throws -> SampledSighting?

    /// A gallery and what some filters select of it, at one moment.
    func scopes(_ filters: [QueryFilter], in gallery: String) async throws -> [SearchScope]
    /// What answers say of sightings, by row; without those that are there no more.
    func matches(_ sightings: Set<Int64>) async throws -> [Int64: FoundSighting]
    /// A model's vectors, for the last pass of a search.
    func vectors(model: String) -> any VectorSource
    /// The last sightings of an identity, with a model's vectors.
    func exemplars(
        of identity: String, in gallery: String, model: String, limit: Int
    ) async throws -> [(sighting: String, embedding: SightingEmbedding)]

    /// Keeps what an analysis has found of a gallery, by its row, in place of the model's before. Throws `.modelMismatch` if the model
    /// was erased meanwhile.
    func save(_ evaluation: KeptEvaluation, gallery: Int64) async throws
    /// The same with the points of a map, by the rows of their sightings; without those that were erased meanwhile.
    func save(
        _ map: GalleryMap, points: [(sighting: Int64, position: SIMD2<Float>)], gallery: Int64) async throws
    /// The last one of a model, or of any.
    func latestEvaluation(in gallery: String, model: String?) async throws -> (kept: KeptEvaluation, createdAt: Date)
    func latestMap(in gallery: String, model: String?, _ page: PageRequest) async throws -> MapPage
    /// By row; without those that are there no more.
    func identities(rows: [Int64]) async throws -> [Int64: IdentityRecord]
}

/// What is to be corrected.
enum CorrectionChange: Sendable {
    case move(sighting: String, to: String)
    case split(identity: String, sightings: [String], into: String)
    case rename(identity: String, to: String)
    case merge([String], into: String)
    case distinguish(String, from: [String])
    case undo(String)
}

/// Which sightings a model should embed.
enum PendingVectors: Sendable {
    /// Those that have no vector of it.
    case missing
    /// Those with images whose vector of it cannot be taken apart; or also those that have one a modality, and need one for each
    /// set of these.
    case fused(orParts: Bool)
}

/// Where a search looks: a gallery, by its row, and what a filter selects there.
struct SearchScope: Sendable {
    let gallery: Int64
    /// As an index in memory knows it; open where the database itself is searched.
    let filter: IndexFilter
    let asked: QueryFilter
    /// By the models that have vectors there, or had.
    let searches: [String: any SightingSearch]
}

/// A sighting that a search has found, and its identity's label.
struct FoundSighting: Sendable {
    let sighting: SightingRecord
    let label: String?

    func match(score: Float) -> Match {
        Match(
            identity: sighting.identity, label: label, score: score, sighting: sighting.id, camera: sighting.camera,
            capturedAt: sighting.capturedAt, metadata: sighting.metadata)
    }
}
