import Documents
import Foundation
import Imaging
import Inference

/// What serving is told at its start, whoever asks for it.
public struct ServingConfiguration: Sendable {
    /// The model to begin with; empty if one was active before.
    public var checkpoint = ""
    /// The gallery's SQLite file.
    public var database = ""
    /// The folder of models that may be activated.
    public var modelsFolder = ""
    /// Whether the images of sightings are kept, so that another model can embed them again.
    public var keepsImages = true
    /// How triples are decoded and encoded.
    public var encoding = Encoding()
    /// How models are exchanged.
    public var swap = Swap()
    /// Which triples are encoded together.
    public var batching = Batching()
    /// What an image must be for a passage to make an identity.
    public var quality = Quality()
    /// What a model may be.
    public var models = ModelLimits()
    /// How float32 weights are multiplied, in layers that can be narrow.
    public var precision = Precision.float32

    /// How float32 weights are multiplied.
    public enum Precision: String, Sendable, CaseIterable {
        /// As they are.
        case float32
        /// As bfloat16s.
        case bfloat16 = "bf16"
    }

    /// What the process may have in memory, for models and galleries together; absent, what the system has and what its control
    /// group allows.
    public var memoryBytes: Int?
    /// How long what is written down beside the galleries is kept.
    public var retention = Retention()

    /// How long what is written down beside the galleries is kept, in days.
    public struct Retention: Sendable, Equatable {
        /// Jobs, from their end.
        public var jobs = 30
        /// Events.
        public var events = 7
        /// The audit log.
        public var audit = 365

        /// The defaults.
        public init() {}
    }

    /// The defaults.
    public init() {}

    /// How triples are decoded and encoded.
    public struct Encoding: Sendable {
        /// Bytes of one image's file, at most.
        public var imageBytes = 20 << 20
        /// Pixels of one image, at most.
        public var imagePixels = 40_000_000
        /// 16-bit thermal values that become 0 and 255, with models that do not say; nil for each image's own percentiles.
        public var thermalRange: ClosedRange<UInt16>?
        /// Whether large JPEGs are decoded at a fraction of their size.
        public var scalesDecoding = false
        /// For decoding and encoding, waiting included.
        public var seconds = 120
        /// For decoding one image, once it is its turn.
        public var decodeSeconds = 10
        /// How many images are decoded at the same time: one a core, so that a triple's come side by side, and no more
        /// than eight, each of which may hold a large image.
        public var decodingThreads = min(max(ProcessInfo.processInfo.activeProcessorCount, 2), 8)

        /// The defaults.
        public init() {}
    }

    /// How a model is exchanged for another.
    public struct Swap: Sendable, Equatable {
        /// The share of time that embedding the gallery again may take; requests have the rest.
        public var share = 0.5
        /// How a pruned model's queries must have done among its parent's vectors for these to stay, where images were not kept.
        public var cross = CrossRetrieval.Demand()
        /// How long others may be at what they have taken, where servers embed together, with nothing coming of it.
        package var patience = Duration.seconds(60)
        /// The defaults.
        public init() {}
    }

    /// What an image must be for a passage to make an identity; each is 0 for no demand. See `ImageQuality` for the units.
    public struct Quality: Sendable, Equatable {
        /// The shorter side as it was decoded, in pixels.
        public var side = 0
        /// The variance of the Laplacian at the model's size.
        public var sharpness = 0.0
        /// The standard deviation of the luminance at the model's size.
        public var contrast = 0.0

        /// The defaults.
        public init() {}

        /// Whether an image is good enough.
        package func admits(_ image: ImageQuality) -> Bool {
            image.side >= side && image.sharpness >= sharpness && image.contrast >= contrast
        }
    }

    /// Which triples are encoded together.
    public struct Batching: Sendable, Equatable {
        /// How many at most.
        public var most = 8
        /// How long those that could be encoded wait for others that are being decoded. 0 unless asked for: where it was
        /// measured it gave nothing.
        public var waitMilliseconds = 0

        /// The defaults.
        public init() {}
    }

    /// What a model may be, so that verifying one cannot take the machine.
    public struct ModelLimits: Sendable, Equatable {
        /// Multiply-adds of encoding one triple. ViT-L/16 at 384×384 takes 0.6e12.
        public var multiplyAdds = 1_000_000_000_000
        /// Seconds for reading a checkpoint, building its model and having it answer.
        public var seconds = 300

        /// The defaults.
        public init() {}
    }
}

extension ServingConfiguration.Precision: DocumentValue {
    package var documentValue: JSONValue { .string(rawValue) }
}

/// Is told what serving does, for metrics and traces. Called on any thread.
package struct ServingObserver: Sendable {
    /// A part of what requests take their time for.
    package enum Stage: String, Sendable, CaseIterable {
        /// Of a triple's images, side by side, waiting included.
        case decode
        /// Of a triple or a text, waiting included.
        case encode
        /// Of a gallery, waiting included.
        case search
        /// Of an enrolment, waiting for the writer included.
        case commit
    }

    /// A stage has been done, from when to when. Called in the request's task.
    package var timed: @Sendable (Stage, _ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant) -> Void = {
        _, _, _ in
    }
    /// A triple or a text has been encoded by this model.
    package var encoded: @Sendable (_ model: String) -> Void = { _ in }
    /// A batch is about to be encoded, of triples that have waited so long.
    package var batched: @Sendable ([Duration]) -> Void = { _ in }

    package init() {}
}
