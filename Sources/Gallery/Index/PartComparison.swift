/// Which rows of which part a query is compared with.
struct PartComparison {
    let part: Int
    let representation: Representation

    /// Whether the query's vector of the part's own modalities is compared, and not its main one.
    var isShared: Bool { if case .shared = representation { true } else { false } }

    /// All that a query needs which has vectors of these sets of modalities, `own` being all of its modalities.
    static func all(_ parts: [IndexPart], _ own: Set<String>, _ sets: Set<Set<String>>) -> [PartComparison] {
        // By part of the main vector: the part with just the modalities that such sightings share with the query.
        let partners = parts.map { part -> UInt8? in
            let shared = part.modalities.intersection(own)
            guard sets.contains(shared), let partner = parts.firstIndex(where: { $0.modalities == shared }) else {
                return nil
            }
            return UInt8(partner)
        }
        return parts.indices.flatMap { index -> [PartComparison] in
            let mains = partners.indices.filter { partners[$0] == UInt8(index) && parts[index].hasRows(main: $0) }
                .reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
            var found: [PartComparison] = []
            if mains != 0 { found.append(PartComparison(part: index, representation: .shared(mains: mains))) }
            if partners[index] != UInt8(index), parts[index].hasRows(main: index) {
                let rule = Representation.main(part: UInt8(index), partner: partners[index])
                found.append(PartComparison(part: index, representation: rule))
            }
            return found
        }
    }

    /// The names in a comma-separated key.
    static func names(_ key: String) -> Set<String> { Set(key.split(separator: ",").map(String.init)) }
}
