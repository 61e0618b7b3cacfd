import Foundation

/// A transaction's changes as they are written down for other servers: by rows, of which these read what they need themselves.
struct ChangeNote: Codable, Equatable {
    /// A change, of some rows.
    struct Step: Codable, Equatable {
        enum Kind: String, Codable {
            case append, move, describe
            case removeSightings = "remove-sightings"
            case removeVectors = "remove-vectors"
            case removeIdentity = "remove-identity"
            case removeGallery = "remove-gallery"
            case removeModel = "remove-model"
            case replaceModel = "replace-model"
        }

        let kind: Kind
        /// Of embeddings that were added, else of sightings.
        var rows: [Int64]?
        var gallery: Int64?
        var identity: Int64?
        var model: String?
    }

    private(set) var steps: [Step]
    let event: Int64?
    /// Those that a later release knows are left out.
    let news: [String]?

    init(_ changes: CommittedChanges) {
        (event, news) = (changes.event, changes.news.isEmpty ? nil : changes.news.map(\.rawValue))
        steps = []
        for change in changes.changes { add(Step(change)) }
    }

    /// Throws `DecodingError` for what is not known here.
    init(_ text: String) throws { self = try JSONDecoder().decode(ChangeNote.self, from: Data(text.utf8)) }

    /// JSON.
    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// Embeddings that follow each other are one step.
    private mutating func add(_ step: Step) {
        if step.kind == .append, let last = steps.indices.last, steps[last].kind == .append {
            steps[last].rows?.append(contentsOf: step.rows ?? [])
        } else {
            steps.append(step)
        }
    }
}

extension ChangeNote.Step {
    fileprivate init(_ change: IndexChange) {
        switch change {
        case .append(_, let row, _, _): self.init(kind: .append, rows: [row])
        case .move(let rows, let identity, let gallery):
            self.init(kind: .move, rows: rows, gallery: gallery, identity: identity)
        case .describe(let row, _, _, let gallery): self.init(kind: .describe, rows: [row], gallery: gallery)
        case .removeSightings(let rows, let gallery):
            self.init(kind: .removeSightings, rows: rows, gallery: gallery)
        case .removeVectors(let row, let key):
            self.init(kind: .removeVectors, rows: [row], gallery: key.gallery, model: key.model)
        case .removeIdentity(let identity, let gallery):
            self.init(kind: .removeIdentity, gallery: gallery, identity: identity)
        case .removeGallery(let gallery): self.init(kind: .removeGallery, gallery: gallery)
        case .removeModel(let model): self.init(kind: .removeModel, model: model)
        case .replaceModel(let model, _): self.init(kind: .replaceModel, model: model)
        }
    }
}
