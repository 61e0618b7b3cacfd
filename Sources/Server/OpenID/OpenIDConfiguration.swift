import Documents
import Foundation
import Gallery

extension ServerConfiguration {
    /// The OpenID provider whose tokens count beside this server's keys.
    public struct OpenID: Sendable, Equatable {
        /// As its tokens' `iss` says, an https URL.
        public var issuer: String
        /// What tokens' `aud` must have: this server, as the provider calls it.
        public var audience: String
        /// How tokens may be signed.
        public var algorithms: [SignatureAlgorithm]
        /// Where its keys are; absent, where its discovery document says.
        public var keysURL: String?
        /// What a token's holder may do.
        public var roles: Roles
        /// Where.
        public var galleries = Galleries()
        /// By how much clocks may differ.
        public var leewaySeconds = 30
        /// How old its keys become before they are asked for again.
        public var refreshSeconds = 300
        /// Between two calls to it, whatever the reason.
        public var retrySeconds = 30
        /// For how long its keys count if it does not answer.
        public var keepSeconds = 86_400
        /// For a call to it.
        public var timeoutSeconds = 5
        /// Whether it may be at an address that is not of the public internet.
        public var allowsPrivate = false
        /// Whether http may be spoken, not https alone.
        public var allowsHTTP = false
        /// Authorities in place of the system's, a file of PEM.
        public var caFile: String?

        /// With its defaults.
        public init(issuer: String, audience: String, algorithms: [SignatureAlgorithm], roles: Roles) {
            (self.issuer, self.audience) = (issuer, audience)
            (self.algorithms, self.roles) = (algorithms, roles)
        }
    }
}

extension ServerConfiguration.OpenID {
    /// Which values of a claim stand for which role; of several the highest counts.
    public struct Roles: Sendable, Equatable {
        /// The claim's name, or the names that lead to it.
        public var claim: [String]
        /// By role.
        public var values: [AccessRole: [String]]

        /// A claim and what its values mean.
        public init(claim: [String], values: [AccessRole: [String]]) { (self.claim, self.values) = (claim, values) }
    }

    /// Which values of a claim stand for which galleries.
    public struct Galleries: Sendable, Equatable {
        /// Galleries that a value stands for.
        public struct Entry: Sendable, Equatable {
            /// The claim's.
            public var value: String
            /// Their names.
            public var galleries: [String]

            /// A value and what it means.
            public init(value: String, galleries: [String]) { (self.value, self.galleries) = (value, galleries) }
        }

        /// What a token may use that says nothing.
        public enum Standard: String, Sendable, CaseIterable {
            case none, all
        }

        /// The claim's name, or the names that lead to it.
        public var claim: [String]?
        /// What values mean; empty, each is a gallery's name.
        public var map: [Entry] = []
        /// Values that stand for all galleries.
        public var all: [String] = []
        /// For tokens without the claim.
        public var standard = Standard.none

        /// None.
        public init() {}
    }
}

extension ServerConfiguration.OpenID {
    /// Throws `DocumentError`.
    init?(_ fields: inout Fields) throws {
        guard var section = try fields.object("openid") else { return nil }
        try section.read("allow_http", .bool, into: &allowsHTTP)
        try section.read("allow_private", .bool, into: &allowsPrivate)
        try section.read("ca_file", .string, into: &caFile)
        issuer = try section.require("issuer", .string)
        audience = try section.require("audience", .string)
        algorithms = try SignatureAlgorithm.read("algorithms", &section)
        try section.read("keys_url", .string, into: &keysURL)
        roles = try Roles(&section)
        try galleries.read(&section)
        try section.read("leeway_seconds", .integer(0...300), into: &leewaySeconds)
        try section.read("refresh_seconds", .integer(10...86_400), into: &refreshSeconds)
        try section.read("retry_seconds", .integer(1...3600), into: &retrySeconds)
        try section.read("keep_seconds", .integer(60...2_592_000), into: &keepSeconds)
        try section.read("timeout_seconds", .integer(1...60), into: &timeoutSeconds)
        for (key, url) in [("issuer", issuer), ("keys_url", keysURL)] {
            guard let url, !isCallable(url) else { continue }
            let schemes = allowsHTTP ? "an https or http" : "an https"
            throw section.invalid(key, "\(schemes) URL without a user and a fragment", .string(url))
        }
        guard !audience.isEmpty else { throw section.invalid("audience", "what tokens' aud has", .string(audience)) }
        try section.finish()
    }

    private func isCallable(_ text: String) -> Bool {
        guard text.utf8.count <= 2048, let parts = URLComponents(string: text), parts.host?.isEmpty == false else {
            return false
        }
        return (parts.scheme == "https" || allowsHTTP && parts.scheme == "http") && parts.user == nil
            && parts.password == nil && parts.fragment == nil
    }
}

extension ServerConfiguration.OpenID.Roles {
    fileprivate init(_ fields: inout Fields) throws {
        var section = try fields.section("roles")
        claim = try section.require("claim", .claim)
        values = [:]
        for role in AccessRole.allCases {
            var list: [String] = []
            try section.read(role.rawValue, .strings, into: &list)
            values[role] = list
        }
        let all = values.values.joined()
        guard !all.isEmpty, Set(all).count == all.count else {
            throw section.invalid(
                "read", "values of the claim for one role at least, each for one alone", values[.read]?.documentValue)
        }
        try section.finish()
    }
}

extension ServerConfiguration.OpenID.Galleries {
    fileprivate mutating func read(_ fields: inout Fields) throws {
        var section = try fields.section("galleries")
        try section.read("claim", .claim, into: &claim)
        map = try section.objects("map")?.map { try Entry($0) } ?? []
        try section.read("all", .strings, into: &all)
        try section.read("default", .choice, into: &standard)
        guard claim != nil || standard == .all else {
            throw section.invalid(
                "claim", "the names that lead to a claim, or default: all for tokens that are for all galleries", nil)
        }
        try section.finish()
    }
}

extension ServerConfiguration.OpenID.Galleries.Entry {
    fileprivate init(_ given: Fields) throws {
        var fields = given
        value = try fields.require("value", .string)
        galleries = try fields.require("galleries", .strings)
        guard (1...TokenPolicy.mostGalleries).contains(galleries.count) else {
            throw fields.invalid("galleries", "1 to 100 names", galleries.documentValue)
        }
        try fields.finish()
    }
}

extension FieldKind<[String]> {
    /// The names that lead to a claim within others.
    fileprivate static var claim: FieldKind {
        FieldKind("a list of the names that lead to a claim, such as [realm_access, roles]") { value in
            let elements = value.array ?? []
            let names = elements.compactMap(\.string).filter { !$0.isEmpty }
            return (1...8).contains(names.count) && names.count == elements.count ? names : nil
        }
    }
}

extension ServerConfiguration.OpenID.Galleries.Standard: DocumentValue {
    /// Its name.
    package var documentValue: JSONValue { .string(rawValue) }
}
