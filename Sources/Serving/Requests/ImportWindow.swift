import Documents
import Foundation
import Gallery
import Inference

/// Some lines of an import, from JSON to what is committed.
struct ImportWindow: Sendable {
    let service: ImportService
    let gallery: String
    let archive: ImportArchive?

    private enum Prepared: Sendable {
        case enrolment(Enrolment)
        case identity(NewIdentity)
        case known
        case failed(any Error)
    }

    private struct Attempt: Sendable {
        let place: Int
        let prepared: Prepared
    }

    /// Embeds lines side by side, and commits them when it is their turn. Whether each was known already, or what is wrong with
    /// it. Throws `GalleryError` or `CancellationError`.
    func run(_ lines: [ImportLines.Line], turn: Int, _ turns: Turns) async throws -> [Result<Bool, any Error>] {
        try await service.models.enrolling { encoders in
            let prepared = await prepared(lines, encoders)
            return try await turns.take(turn) {
                do {
                    return try await commit(prepared.get())
                } catch GalleryError.modelChanged(let model) {
                    // Its turn does not come again: the job does.
                    throw GalleryError.unavailable("the model \(model) has become active meanwhile")
                }
            }
        }
    }

    /// A failure is a result, for the turn must be taken.
    private func prepared(
        _ lines: [ImportLines.Line], _ encoders: [any TripleEncoder]
    ) async -> Result<[Prepared], any Error> {
        do {
            return .success(
                try await withThrowingTaskGroup(of: Attempt.self) { group in
                    for (place, line) in lines.enumerated() {
                        group.addTask { Attempt(place: place, prepared: try await prepare(line, encoders)) }
                    }
                    var attempts: [Attempt] = []
                    for try await attempt in group { attempts.append(attempt) }
                    return attempts.sorted { $0.place < $1.place }.map(\.prepared)
                })
        } catch {
            return .failure(error)
        }
    }

    private func prepare(
        _ line: ImportLines.Line, _ encoders: [any TripleEncoder]
    ) async throws -> Prepared {
        let longest = service.longestLine
        do {
            guard let bytes = line.bytes else {
                throw DocumentError.invalid(field: "line", expected: "at most \(longest) bytes", found: "more")
            }
            switch try await service.files.run({ [archive] in try ImportLine(bytes, archive: archive, longest: longest)
            })
            .content
            {
            case .identity(let identity): return .identity(identity)
            case .sighting(let sighting): return try await prepare(sighting, encoders)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            switch error {
            // No fault of the line.
            case GalleryError.busy, GalleryError.unavailable: throw error
            default: return .failed(error)
            }
        }
    }

    private func prepare(
        _ sighting: NewSighting, _ encoders: [any TripleEncoder]
    ) async throws -> Prepared {
        var enrolment = try await sighting.enrolment(service.files)
        if try await service.gallery.enrolled(before: enrolment, in: gallery) != nil { return .known }
        let images = sighting.images.kept
        if service.keepsImages { enrolment.images = images }
        let active = encoders[0]
        if let vectors = sighting.vectors, sighting.images.isEmpty || vectors.model == active.model {
            try await service.encoding.checkBoxes(sighting.images)
            enrolment.give(vectors, active)
        } else {
            enrolment.activeModel = active.model
        }
        let missing = enrolment.embeddings.isEmpty ? encoders : Array(encoders.dropFirst())
        for encoder in images.isEmpty ? [] : missing {
            for modality in sighting.images.keys.sorted() where encoder.model == active.model {
                guard encoder.modalities.contains(modality) else {
                    throw EncoderError.unknownModality(found: modality, expected: encoder.modalities)
                }
            }
            if let encoded = try await service.encoding.encodeInBackground(images, with: encoder) {
                enrolment.embeddings.append(encoded.embedding.stored(by: encoder))
            }
        }
        return .enrolment(enrolment)
    }

    /// In their order, those of a kind that follow each other in one transaction.
    private func commit(_ prepared: [Prepared]) async throws -> [Result<Bool, any Error>] {
        var (results, rest) = ([Result<Bool, any Error>](), prepared[...])
        while let first = rest.first {
            var (enrolments, identities) = ([Enrolment](), [NewIdentity]())
            switch first {
            case .known: results.append(.success(true))
            case .failed(let error): results.append(.failure(error))
            case .enrolment:
                while case .enrolment(let enrolment)? = rest.first {
                    enrolments.append(enrolment)
                    rest.removeFirst()
                }
                results += try await service.gallery.enrol(enrolments, in: gallery).map { $0.map(\.isReplay) }
                continue
            case .identity:
                while case .identity(let identity)? = rest.first {
                    identities.append(identity)
                    rest.removeFirst()
                }
                results += try await service.gallery.createIdentities(identities, in: gallery).map { $0.map { !$0 } }
                continue
            }
            rest.removeFirst()
        }
        return results
    }
}
