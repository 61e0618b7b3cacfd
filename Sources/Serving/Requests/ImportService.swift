import Documents
import Foundation
import Gallery
import Inference
import Synchronization
import Threads

/// Enrols what was sent in bulk, as a job: line by line in their order, encoded side by side beside the requests, and
/// committed together. What is wrong with a line is said in the job's result and does not stop the others.
package struct ImportService: Sendable {
    let models: AnsweringModels
    let gallery: GalleryStore
    let encoding: EncodingService
    let keepsImages: Bool
    let memory: MemoryBudget
    let files: WorkerThreads
    let jobs: JobBoard
    /// Where what is received is kept for other servers, as the leader enrols it; nil for a server that has its database alone.
    let shared: (any SharedLedger)?
    /// Where what is received waits for its job.
    let folder: String
    /// Bytes of a line.
    let longestLine: Int

    /// A file for what is about to be received. Throws `GalleryError.notFound` for the gallery.
    package func receive(
        _ form: ImportFile.Form = .lines, for gallery: String
    ) async throws -> (file: ImportFile, job: JobRecord) {
        try await self.gallery.requireGallery(gallery)
        let job = JobRecord(kind: JobKind.importing.rawValue, gallery: gallery)
        return (ImportFile(job: job.id, folder: folder, form: form), job)
    }

    /// Appends to it, away from the cooperative pool. Throws `GalleryError.full` or `.storage`.
    package func append(_ bytes: Data, to file: ImportFile) async throws {
        try await onDisk { try file.append(bytes) }
    }

    /// Starts the job for what was received. Throws `GalleryError` or `ModelError`; then the file is gone.
    package func start(_ file: ImportFile, _ job: JobRecord, in gallery: String) async throws -> JobStatus {
        do {
            try await onDisk { try file.finish(gallery: gallery) }
            try await shared?.share(file.sharedName, from: file.path)
            try await jobs.start(job, .importing) { try await run($0) }
        } catch {
            file.remove()
            try? await shared?.forget(file.sharedName)
            throw error
        }
        if await jobs.entry(job.id) == nil && shared != nil { file.remove() }
        return try await jobs.job(job.id)
    }

    /// Does a job that has its file. Throws `GalleryError`, `EncoderError` or `CancellationError`; what is enrolled by then stays.
    func run(_ job: JobHandle) async throws -> JobRecord {
        let file = try await fetched(job) ?? ImportFile(job: job.job.id, folder: folder)
        do {
            let record = try await ImportRun(service: self, file: file).run(job)
            await remove(file)
            return record
        } catch {
            // Cut off, it goes on with the file: here, or elsewhere with the one that is shared.
            if await !job.goesOn(after: error) {
                await remove(file)
            } else if shared != nil, error is CancellationError {
                file.remove()
            }
            throw error
        }
    }

    /// What another server has received; nil if it is here, or nowhere.
    private func fetched(_ job: JobHandle) async throws -> ImportFile? {
        guard let shared, let gallery = job.job.gallery,
            let name = try await shared.sharedFiles().map(\.name).first(where: {
                ImportFile.job(ofShared: $0) == job.job.id
            }),
            let form = name.split(separator: ".").last.flatMap({ ImportFile.Form(rawValue: String($0)) })
        else { return nil }
        let file = ImportFile(job: job.job.id, folder: folder, form: form)
        if file.gallery() != nil { return file }
        try await onDisk { try file.makeFolder() }
        guard try await shared.fetch(name, to: file.path) else { return nil }
        try await onDisk { try file.finish(gallery: gallery) }
        return file
    }

    /// Also where the job was cancelled. What cannot be forgotten now is forgotten by the leader.
    private func remove(_ file: ImportFile) async {
        file.remove()
        if let shared { await Task { try? await shared.forget(file.sharedName) }.value }
    }

    /// Takes away what was received for jobs that have ended.
    func removeOthers(than jobs: [JobRecord]) {
        ImportFile.removeOthers(than: Set(jobs.map(\.id)), folder: folder)
    }

    func onDisk<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        do {
            return try await files.run(work)
        } catch let error as FileError {
            throw error.code == ENOSPC ? GalleryError.full : GalleryError.storage("\(error)")
        }
    }
}
