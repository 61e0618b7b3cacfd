import ArgumentParser
import Foundation
import TriptychClient

/// A gallery that a command is about, as its argument.
struct NamedGallery: ParsableArguments {
    @Argument(help: "The gallery.", completion: .galleries)
    var gallery: String
    @OptionGroup var server: ServerOptions

    /// Throws as `ServerOptions.client()`.
    func client() throws -> GalleryClient { try server.client().gallery(gallery) }
}

/// `triptych gallery list`.
struct ListGalleriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the galleries of a running server.")

    @OptionGroup var server: ServerOptions
    @Flag(help: "Print the list as JSON.")
    var json = false

    func run() async throws {
        let galleries = try await server.client().galleries().all()
        if json { return try Output.json(galleries) }
        Output.table(
            [["gallery", "made", "kept for", "label"]]
                + galleries.map {
                    [
                        $0.name, String(Wire.text($0.createdAt).prefix(10)),
                        $0.retentionDays.map { "\($0) days" } ?? "", $0.label ?? "",
                    ]
                })
    }
}

/// `triptych gallery show`.
struct ShowGalleryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a gallery of a running server and how much is in it.")

    @OptionGroup var gallery: NamedGallery
    @Flag(help: "Print it as JSON.")
    var json = false

    func run() async throws {
        let found = try await gallery.client().summary()
        if json { return try Output.json(found) }
        print("\(found.name)\(found.label.map { " (\($0))" } ?? ""), made \(Wire.text(found.createdAt))")
        print("\(found.identities) identities, \(found.sightings) sightings")
        print("\(found.images) images are kept, \(String(format: "%.1f", Double(found.imageBytes) / 1e6)) MB")
        if let days = found.retentionDays { print("sightings are erased after \(days) days") }
        for model in found.models { print("model \(model.model): \(model.sightings) sightings embedded") }
        for (key, value) in found.metadata.sorted(by: { $0.key < $1.key }) { print("\(key): \(Output.text(value))") }
    }
}

/// What a gallery's record may say.
struct GalleryRecordOptions: ParsableArguments {
    @Option(help: "For people to read.")
    var label: String?
    @Option(help: "Days after which a sighting is erased.")
    var retentionDays: Int?
    @Flag(help: "Print the gallery as JSON.")
    var json = false

    /// Prints the gallery as it is now.
    func show(_ gallery: GalleryClient, _ what: String) async throws {
        if json { return try Output.json(await gallery.summary()) }
        print("\(what) \(gallery.name)")
    }
}

/// `triptych gallery create`.
struct CreateGalleryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes an empty gallery on a running server.")

    @OptionGroup var gallery: NamedGallery
    @OptionGroup var record: GalleryRecordOptions
    @Flag(help: "Leave one of that name as it is, which is else a failure.")
    var existOk = false

    func run() async throws {
        let made = try await gallery.server.client().createGallery(
            gallery.gallery, label: record.label, retentionDays: record.retentionDays, existOK: existOk)
        try await record.show(made, "made")
    }
}

/// `triptych gallery update`.
struct UpdateGalleryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Changes a gallery's label or retention; what is not given stays.")

    @OptionGroup var gallery: NamedGallery
    @OptionGroup var record: GalleryRecordOptions
    @Flag(help: "Remove the label.")
    var noLabel = false
    @Flag(help: "Never erase sightings for their age.")
    var noRetention = false

    func validate() throws {
        guard !(noLabel && record.label != nil), !(noRetention && record.retentionDays != nil) else {
            throw ValidationError("expected a value or its removal, found both")
        }
    }

    func run() async throws {
        let gallery = try gallery.client()
        let days: Change<Int> = noRetention ? .remove : record.retentionDays.map(Change.set) ?? .keep
        _ = try await gallery.update(
            label: noLabel ? .remove : record.label.map(Change.set) ?? .keep, retentionDays: days)
        try await record.show(gallery, "changed")
    }
}

/// `triptych gallery erase`.
struct EraseGalleryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Erases a gallery of a running server with everything in it.")

    @OptionGroup var gallery: NamedGallery
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        let gallery = try gallery.client()
        let found = try await gallery.summary()
        try confirmation.require(
            "Erase the gallery \(found.name) with \(found.identities) identities and \(found.sightings) sightings?")
        try await gallery.erase()
        try confirmation.tell(found.name)
    }
}

/// `triptych gallery thresholds`.
struct ThresholdsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "thresholds", abstract: "Shows from which score on a sighting is of a known identity, or sets it.",
        discussion: "--set, once for each set of modalities, puts them in place of all of the model's.")

    @OptionGroup var gallery: NamedGallery
    @Option(name: .customLong("set"), help: "Such as rgb+nir+tir=0.62; may be repeated.")
    var settings: [String] = []
    @Option(help: "Whose scores they are for (default: the active model's).", completion: .models)
    var model: String?
    @Flag(help: "Print them as JSON.")
    var json = false

    func run() async throws {
        let gallery = try gallery.client()
        let given = try settings.map { text in
            let parts = text.split(separator: "=")
            guard parts.count == 2, let threshold = Double(parts[1]) else {
                throw ValidationError("--set: expected MODALITIES=THRESHOLD, found '\(text)'")
            }
            return (String(parts[0]), threshold)
        }
        let found =
            try await given.isEmpty
            ? gallery.thresholds()
            : gallery.setThresholds(Dictionary(given) { $1 }, model: model)
        if json { return try Output.json(found) }
        ThresholdTable.show(found)
    }
}

/// `triptych gallery calibrate`.
struct CalibrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate", abstract: "Proposes thresholds by what is enrolled.",
        discussion: "Ends with 1 if the job fails, as it does where too little is enrolled for the rate.")

    @OptionGroup var gallery: NamedGallery
    @Option(help: "The share of newcomers that may be taken for somebody.")
    var falseMatchRate = 0.01
    @Option(help: "About how many sightings to look at.")
    var samples: Int?
    @Flag(help: "Put them in place of the active model's thresholds.")
    var apply = false
    @Flag(help: "Print the job as JSON.")
    var json = false

    func run() async throws {
        let client = try gallery.server.client()
        let job = try await client.gallery(gallery.gallery).calibrate(
            falseMatchRate: falseMatchRate, samples: samples, apply: apply)
        try await JobDisplay(client: client, json: json).finish(job)
    }
}
