import Documents
import Testing

@Suite("YAML's comments")
struct YAMLNotesTests {
    @Test("a comment is about the value of its line, or about all that its key holds")
    func reading() throws {
        let text = """
            # of the file
            a: 1  # one
            b: {c: 2, d: [3, 4]}  # both
            e:  # inherited
              f: "# no comment"
              g: 'it''s'  # own
              h: torchvision's model  # apostrophe
            # of nothing
            list:
              - x: 1  # first
                y: 2
              - {x: [a, b]}  # second
            none: a#b
            """
        #expect(
            try YAMLDocument.notes(text) == [
                ["a"]: "one", ["b", "c"]: "both", ["b", "d"]: "both", ["e", "f"]: "inherited", ["e", "g"]: "own",
                ["e", "h"]: "apostrophe", ["list", "0", "x"]: "first", ["list", "1", "x"]: "second",
            ])
    }

    @Test("what is written with notes has them behind its values, and is read again with them")
    func roundTrip() throws {
        let value = JSONValue.object([
            "rates": .array([.number(0.5), .integer(2)]), "name": .string("a: b # c"),
            "stages": .array([.object(["steps": .integer(3), "freeze": .array([])]), .object(["none": .object([:])])]),
        ])
        let notes = [
            ["rates"]: "table 1", ["name"]: "ours", ["stages", "0", "steps"]: "eq. 2", ["stages", "1", "none"]: "§ 3",
        ]
        let text = try YAMLDocument.text(value, first: ["stages", "steps"], notes: notes)
        #expect(try YAMLDocument.parse(text) == value)
        #expect(try YAMLDocument.notes(text) == notes)
        #expect(
            text == """
                stages:
                - steps: 3                                  # eq. 2
                  freeze: []
                - none: {}                                  # § 3
                name: 'a: b # c'                            # ours
                rates: [0.5, 2]                             # table 1

                """)
    }
}
