import Documents
import Inference

extension Recipe.Stage {
    /// The beginnings of the paths that stay as they are at a step.
    ///
    /// - Parameters:
    ///   - step: of the stage, from 0.
    ///   - epoch: passes over the images that are over in the stage.
    func frozenPaths(among weights: Weights, step: Int, epoch: Int) -> [String] {
        switch frozenFor {
        case .steps(let count)? where step >= count: return []
        case .epochs(let count)? where epoch >= count: return []
        default: break
        }
        return frozen.flatMap { text in
            text.contains("*") ? weights.paths.filter(PathPattern(text).matches) : [text]
        }
    }
}

extension Recipe {
    /// Refuses patterns that mean no weight, and what leaves none to train: a misspelt one would train what was to stay. Throws
    /// `DocumentError.invalid`.
    func checkPatterns(_ state: TrainingState) throws(DocumentError) {
        let paths = state.weights.paths.filter { !Self.isStatistic($0) }
        let all = paths + (state.centers == nil ? [] : [TrainingState.centersPath])
        for stage in stages {
            for pattern in stage.frozen { try Self.check(pattern, paths, "freeze of stage \(stage.name)") }
            for pattern in stage.groups.flatMap(\.patterns) {
                try Self.check(pattern.text, all, "groups of stage \(stage.name)")
            }
            let patterns = stage.frozen.map(PathPattern.init)
            if !patterns.isEmpty, paths.allSatisfy({ path in patterns.contains { $0.matches(path) } }) {
                throw .invalid(
                    field: "freeze of stage \(stage.name)", expected: "something left to train",
                    found: "patterns of all \(paths.count) weights")
            }
        }
    }

    private static func check(_ pattern: String, _ paths: [String], _ field: String) throws(DocumentError) {
        guard !paths.contains(where: PathPattern(pattern).matches) else { return }
        let names = Set(paths.map { path in path.prefix { $0 != "." } + (path.contains(".") ? "." : "") }).sorted()
        throw .invalid(
            field: field,
            expected: "the beginning of a weight's path, or the whole with * for any characters "
                + "(\(names.joined(separator: ", ")))", found: "\"\(pattern)\", which means none")
    }

    /// What no optimiser changes: running statistics, and the shift of a BNNeck.
    private static func isStatistic(_ path: String) -> Bool {
        let parts = path.split(separator: ".")
        let last = parts.last ?? ""
        return last.hasPrefix("running_") || last == "bias" && parts.contains { $0.hasSuffix("neck") || $0 == "necks" }
    }
}
