import Inference
import Randomness
import Tensor

/// The training split, divided by identity into what is learned from and what is held out.
package struct TrainingData: Sendable {
    /// What batches are drawn from.
    let images: SightingImages
    /// The classifier's index of each sighting.
    let labels: [Int]
    /// Identities, in the classifier's order.
    package let identities: [String]
    /// Descriptions of the identities; empty unless the recipe draws batches of them.
    let texts: TrainingTexts
    /// What validation ranks; empty if nothing is held out.
    package let held: SightingImages
    /// What validation ranks them for: every one of them, or single images of other modalities than RGB where modalities were
    /// never seen together.
    package let heldQueries: SightingImages
    /// How many identities these are of.
    let heldIdentities: Int
    /// What validation does not rank.
    package let rule: RetrievalProtocol
    /// Sightings left out because they lack a modality of the model.
    let incomplete: Int

    /// Throws `DatasetError`.
    package init(_ dataset: TriplesDataset, _ recipe: Recipe, seed: UInt64) throws {
        let split = try TrainingSplit(dataset, recipe)
        let all = dataset.paired(split.all, recipe.model.modalities)
        let complete = all.filter { sighting in recipe.model.modalities.allSatisfy { sighting.files[$0] != nil } }
        incomplete = all.count - complete.count
        if let first = all.first, complete.isEmpty {
            throw Self.nothingWhole(dataset, all, first, recipe.model.modalities)
        }
        try DatasetCheck.refuseBadHeaders(complete, recipe.model.modalities)
        var generator = SplitMix64(seed: seed, stream: 1)
        let names = generator.shuffled(Array(Set(complete.map(\.identity))).sorted())
        let heldNames = split.heldOut(of: names)
        identities = names.filter { !heldNames.contains($0) }.sorted()
        let index = Dictionary(uniqueKeysWithValues: identities.enumerated().map { ($1, $0) })
        let learned = complete.filter { !heldNames.contains($0.identity) }
        labels = learned.compactMap { index[$0.identity] }
        texts = TrainingTexts(recipe.readsTexts ? try dataset.captions(.train) : [:], identities: identities)
        if recipe.readsTexts && texts.captions.isEmpty {
            throw DatasetError.empty(dataset.root.appendingPathComponent("train/text").path, "captions")
        }
        let preprocessing = Preprocessing(recipe.model.input)
        images = SightingImages(learned, preprocessing, modalities: recipe.model.modalities)
        rule = dataset.layout.isPaired ? dataset.layout.rule : .standard
        let isWhole = dataset.layout.isPaired || recipe.model.modalities.count == 1
        let heldSightings = (isWhole ? complete : split.all).filter { heldNames.contains($0.identity) }
        heldIdentities = Set(heldSightings.map(\.identity)).count
        held = SightingImages(
            isWhole ? heldSightings : heldSightings.filter { $0.files[.rgb] != nil }, preprocessing,
            modalities: recipe.model.modalities)
        heldQueries =
            isWhole
            ? held
            : SightingImages(
                heldSightings.filter { $0.files[.rgb] == nil }, preprocessing, modalities: recipe.model.modalities)
    }

    /// Says which of a model's modalities no sighting has, or that none has them all.
    private static func nothingWhole(
        _ dataset: TriplesDataset, _ all: [TriplesDataset.Sighting], _ first: TriplesDataset.Sighting,
        _ modalities: [Modality]
    ) -> DatasetError {
        let absent = modalities.filter { modality in all.allSatisfy { $0.files[modality] == nil } }
        let names = { (list: [Modality]) in list.map(\.rawValue).joined(separator: ", ") }
        let found = absent.isEmpty ? "without one of them each, \(first.name) first" : "all without \(names(absent))"
        return .tooFew(
            "\(dataset.root.path): expected sightings with \(names(modalities)) to learn from, found \(all.count) in train, "
                + found)
    }
}

/// What a run reads of a data set, and who of it is held out.
struct TrainingSplit {
    /// The train split, and what the data set sets apart for validation if the recipe asks for that.
    let all: [TriplesDataset.Sighting]
    /// The identities of the latter.
    private let listed: Set<String>?
    private let share: Double

    /// Throws `DatasetError`.
    init(_ dataset: TriplesDataset, _ recipe: Recipe) throws(DatasetError) {
        let train = try dataset.sightings(.train)
        switch recipe.validation.heldOut {
        case .share(let share): (all, listed, self.share) = (train, nil, share)
        case .listed:
            let validation = try dataset.validationSightings()
            let known = Set(train)
            (all, share) = (train + validation.filter { !known.contains($0) }, 0)
            listed = Set(validation.map(\.identity))
        }
    }

    /// Who of the identities, in a random order, is not learned from.
    func heldOut(of shuffled: [String]) -> Set<String> {
        listed ?? Set(shuffled.prefix(Int((Double(shuffled.count) * share).rounded())))
    }
}
