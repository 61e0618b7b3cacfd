import Dispatch
import Foundation
import Inference
import Synchronization

/// What is in a data set, and what is wrong with it.
public struct DatasetCheck: Sendable, Encodable {
    /// One split, in numbers.
    public struct Counts: Sendable, Equatable, Encodable {
        /// Which.
        public let split: String
        /// Those of distractors included.
        public let identities: Int
        /// Different ones.
        public let cameras: Int
        /// Triples, or single images where modalities were not recorded together.
        public let sightings: Int
        /// By modality.
        public let images: [String: Int]
    }

    /// The layout's name.
    public let layout: String
    /// Train, query and gallery.
    public let splits: [Counts]
    /// Errors, and what should be known.
    public let problems: [DatasetProblem]

    /// Whether nothing must be mended.
    public var isUsable: Bool { !problems.contains { $0.kind.isError } }

    /// Reads names, lists and the images' headers.
    ///
    /// - Parameters:
    ///   - dataset: what is checked.
    ///   - decoding: whether all pixels are read too.
    ///   - progress: told, by one thread at a time, how many files are done, and of how many.
    public init(
        _ dataset: TriplesDataset, decoding: Bool = false, progress: @Sendable (Int, Int) -> Void = { _, _ in }
    ) {
        var problems: [DatasetProblem] = []
        var found: [TriplesDataset.Split: [TriplesDataset.Sighting]] = [:]
        for split in TriplesDataset.Split.allCases {
            do {
                let listing = try dataset.listing(split)
                found[split] = listing.sightings
                problems += listing.problems
            } catch {
                problems.append(DatasetProblem(error))
            }
            if found[split, default: []].isEmpty {
                problems.append(
                    .init(kind: .emptySplit, subject: split.rawValue, message: "expected images, found none"))
            }
        }
        layout = dataset.layout.name
        splits = TriplesDataset.Split.allCases.map { Counts($0, found[$0] ?? []) }
        let all = TriplesDataset.Split.allCases.flatMap { found[$0] ?? [] }
        for split in TriplesDataset.Split.allCases {
            problems += Self.unpaired(found[split] ?? [], split, Set(all.flatMap(\.files.keys)), dataset.layout)
        }
        problems += Self.lonely(found[.train] ?? [])
        problems += Self.overlap(
            found[.train] ?? [], (found[.query] ?? []) + (found[.gallery] ?? []), dataset.layout)
        problems += Self.undecodable(all, Modality.allCases, decoding: decoding, progress)
        // A list may say it of two splits.
        var seen: Set<String> = []
        self.problems = problems.filter { seen.insert("\($0.kind) \($0)").inserted }
    }

    /// Refuses images whose headers cannot be read: `DatasetError.broken`, naming them.
    static func refuseBadHeaders(
        _ sightings: [TriplesDataset.Sighting], _ modalities: [Modality]
    ) throws(DatasetError) {
        let problems = undecodable(sightings, modalities, decoding: false) { _, _ in }
        guard problems.isEmpty else { throw .broken(problems) }
    }

    /// Modalities that a split lacks altogether, and sightings that lack others.
    private static func unpaired(
        _ sightings: [TriplesDataset.Sighting], _ split: TriplesDataset.Split, _ seen: Set<Modality>,
        _ layout: any DatasetLayout
    ) -> [DatasetProblem] {
        guard layout.isPaired, !sightings.isEmpty else { return [] }
        let own = Set(sightings.flatMap(\.files.keys))
        let absent = layout.modalities.filter { seen.contains($0) && !own.contains($0) }.map { modality in
            DatasetProblem(
                kind: .missingModality, subject: split.rawValue,
                message: "expected \(modality.rawValue) images, as another split has, found none")
        }
        let unpaired: [DatasetProblem] = Set(sightings).sorted { $0.name < $1.name }.compactMap { sighting in
            let missing = layout.modalities.filter { own.contains($0) && sighting.files[$0] == nil }.map(\.rawValue)
            guard !missing.isEmpty else { return nil }
            let present = sighting.files.keys.sorted().map(\.rawValue).joined(separator: ", ")
            return DatasetProblem(
                kind: .unpaired, subject: sighting.name,
                message: "expected \(missing.joined(separator: ", ")) beside \(present), found none")
        }
        return absent + unpaired
    }

    private static func lonely(_ train: [TriplesDataset.Sighting]) -> [DatasetProblem] {
        let groups = Dictionary(grouping: train, by: \.identity)
        if let identity = groups.keys.first, groups.count == 1 {
            return [
                .init(
                    kind: .oneIdentity, subject: "train", message: "expected two identities or more, found \(identity)")
            ]
        }
        return groups.sorted { $0.key < $1.key }.compactMap { identity, own in
            if own.count == 1 {
                return .init(
                    kind: .singleImage, subject: identity,
                    message: "one sighting in train, \(own[0].name): it is its own positive")
            }
            guard Set(own.map(\.camera)).count == 1 else { return nil }
            return .init(
                kind: .singleCamera, subject: identity, message: "seen by camera \(own[0].camera) alone in train")
        }
    }

    private static func overlap(
        _ train: [TriplesDataset.Sighting], _ test: [TriplesDataset.Sighting], _ layout: any DatasetLayout
    ) -> [DatasetProblem] {
        let keys = { (sighting: TriplesDataset.Sighting) in
            layout.namesAreShared ? [sighting.identity] : sighting.files.values.map(\.url.path)
        }
        let common = Set(train.flatMap(keys)).intersection(test.flatMap(keys))
        return common.sorted().map {
            .init(
                kind: .overlap, subject: $0,
                message: layout.namesAreShared
                    ? "an identity in train, expected in neither query nor gallery, found there"
                    : "an image in train, expected in neither query nor gallery, found there")
        }
    }

    private static func undecodable(
        _ sightings: [TriplesDataset.Sighting], _ modalities: [Modality], decoding: Bool,
        _ progress: @Sendable (Int, Int) -> Void
    ) -> [DatasetProblem] {
        let shown = sightings.flatMap { sighting in modalities.compactMap { sighting.files[$0] } }
        // A file's tiles are judged together.
        var seen: Set<URL> = []
        let files = shown.filter { seen.insert($0.url).inserted }
        let state = Mutex<(done: Int, problems: [Int: DatasetProblem])>((0, [:]))
        let reader = ImageFileReader()
        DispatchQueue.concurrentPerform(iterations: files.count) { index in
            var problem: DatasetProblem?
            do throws(DatasetError) {
                if decoding { _ = try reader.image(of: files[index]) } else { try reader.checkHeader(of: files[index]) }
            } catch {
                problem = DatasetProblem(error)
            }
            state.withLock { state in
                state.problems[index] = problem
                state.done += 1
                progress(state.done, files.count)
            }
        }
        return state.withLock { $0.problems }.sorted { $0.key < $1.key }.map(\.value)
    }
}

extension DatasetCheck.Counts {
    fileprivate init(_ split: TriplesDataset.Split, _ sightings: [TriplesDataset.Sighting]) {
        self.split = split.rawValue
        identities = Set(sightings.map(\.identity)).count
        cameras = Set(sightings.map(\.camera)).count
        self.sightings = sightings.count
        let modalities = sightings.flatMap(\.files.keys)
        images = Dictionary(modalities.map { ($0.rawValue, 1) }, uniquingKeysWith: +)
    }
}

extension DatasetProblem {
    /// What an error says of one file.
    fileprivate init(_ error: DatasetError) {
        switch error {
        case .unreadableImage(let path, let reason):
            self.init(kind: .undecodable, subject: path, message: "\(reason)")
        case .unreadableFile(let path, let reason) where path.hasSuffix(".txt") || path.hasSuffix(".csv"):
            self.init(kind: .absent, subject: path, message: "expected a list, found none that can be read: \(reason)")
        case .unreadableFile(let path, let reason): self.init(kind: .undecodable, subject: path, message: reason)
        case .uncuttable(let path, let tiles, let width):
            self.init(
                kind: .undecodable, subject: path,
                message: "expected \(tiles) images of equal width side by side, found \(width) columns")
        case .unreadableLine(let path, let line, let expected, let found):
            self.init(
                kind: .misnamed, subject: path, message: "line \(line): expected \(expected), found \(found)")
        default: self.init(kind: .absent, subject: "data set", message: "\(error)")
        }
    }
}
