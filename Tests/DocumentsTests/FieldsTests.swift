import Documents
import Testing

@Suite("Fields")
struct FieldsTests {
    private enum Colour: String, CaseIterable {
        case red, green
    }

    private func fields(_ text: String, unknown: Fields.Unknown = .refused) throws -> Fields {
        try Fields(JSONParser.parse(Array(text.utf8)), unknown: unknown)
    }

    @Test("every kind is read, null and what is not there are nothing")
    func kinds() throws {
        var fields = try fields(
            #"{"s":"x","b":true,"i":3,"n":2.5,"l":["a"],"w":[1,2],"c":"green","o":{"p":{"q":1}},"m":[{"q":1},{}],"z":null}"#
        )
        #expect(try fields.string("s") == "x" && fields.bool("b") == true && fields.integer("i", 1...3) == 3)
        #expect(try fields.number("n", 0...3) == 2.5 && fields.number("i", 0...3) == 3)
        #expect(try fields.strings("l") == ["a"] && fields.integers("w", 1...2) == [1, 2])
        #expect(try fields.require("c", FieldKind<Colour>.choice) == .green)
        var object = try fields.requireObject("o")
        var inner = try object.section("p")
        #expect(
            try inner.require("q", .integer) == 1 && inner.name("q") == "o.p.q" && inner.section("r").members.isEmpty)
        #expect(try fields.objects("m")?.map(\.path) == ["m.0", "m.1"])
        #expect(try fields.string("z") == nil && fields.integer("absent", 0...1) == nil && fields.object("z") == nil)
        try fields.finish()
    }

    @Test("what is wrong is said with its path, what was expected and what was found")
    func refused() throws {
        let text =
            #"{"a":{"i":4,"n":"x","c":"blue","l":[1,"y"],"m":[{},7]},"long":"\#(String(repeating: "x", count: 99))"}"#
        var root = try fields(text)
        var section = try root.section("a")
        func check(_ message: String, _ read: () throws -> Void) {
            #expect { try read() } throws: { "\($0)" == message }
        }
        check("a.i: expected a whole number from 0 to 3, found 4") { _ = try section.integer("i", 0...3) }
        check("a.n: expected a number from 0.0 to 1.0, found \"x\"") { _ = try section.number("n", 0...1) }
        check("a.c: expected one of red, green, found \"blue\"") {
            _ = try section.read("c", FieldKind<Colour>.choice)
        }
        check("a.l: expected a list of whole numbers, found [1,\"y\"]") { _ = try section.read("l", .integers) }
        check("a.m.1: expected an object, found 7") { _ = try section.objects("m") }
        check("a.gone: expected a string, found nothing") { _ = try section.require("gone", .string) }
        check("a.gone: expected an object, found nothing") { _ = try section.requireObject("gone") }
        check("long: expected an object, found a string of 99 bytes") { _ = try root.object("long") }
        check("expected an object, found []") { _ = try fields("[]") }
    }

    @Test("a field that nobody asked for is refused with the known ones, the nearest first, unless such are ignored")
    func unknown() throws {
        let text = #"{"learning_rte":1,"o":{"x":1}}"#
        var strict = try fields(text)
        _ = try (strict.string("decay"), strict.string("learning_rate"), strict.string("name"), strict.object("o"))
        #expect(
            throws: DocumentError.unknownField("learning_rte", expected: ["learning_rate", "name", "decay", "o"])
        ) { try strict.finish() }
        var section = try strict.requireObject("o")
        _ = try section.string("y")
        #expect(throws: DocumentError.unknownField("o.x", expected: ["y"])) { try section.finish() }
        var lenient = try fields(text, unknown: .ignored)
        try lenient.finish()
        try lenient.requireObject("o").finish()
    }

    @Test(
        "a ledger notes every value or default, names what came from elsewhere, and lets text be what its reader expects"
    )
    func ledger() throws {
        let document = try JSONParser.parse(Array(#"{"a":1,"s":{"t":"5","u":"x","w":"1,2"}}"#.utf8))
        let ledger = FieldLedger(
            ["s.t": .variable("P_S__T"), "s.u": .option("--u"), "s.w": .variable("P_S__W")],
            variables: VariableNames(prefix: "P_"))
        var root = try Fields(document, ledger: ledger)
        var (a, t, w, none) = (7, "", [0], Int?.none)
        try root.read("a", .integer, into: &a)
        try root.read("b", .integer, into: &none)
        var section = try root.section("s")
        try section.read("t", .string, into: &t)
        try section.read("w", .integers, into: &w)
        #expect(a == 1 && none == nil && t == "5" && w == [1, 2])
        #expect(ledger.entries.map(\.path) == ["a", "b", "s.t", "s.w"] && ledger.asked == ["a", "b", "s.t", "s.w"])
        #expect(
            ledger.entries.map(\.origin) == [.document, .standard, .variable("P_S__T"), .variable("P_S__W")])
        #expect(try section.integer("t", 5...5) == 5)
        #expect(throws: DocumentError.invalid(field: "P_S__T", expected: "true or false", found: "\"5\"")) {
            try section.bool("t")
        }
        // An option has a type already.
        #expect(throws: DocumentError.invalid(field: "--u", expected: "a list of strings", found: "\"x\"")) {
            try section.strings("u")
        }
        #expect(VariableNames(prefix: "P_").path("P_S__T_V") == ["s", "t_v"])
        #expect(VariableNames(prefix: "P_").path("Q_S") == nil)
    }
}
