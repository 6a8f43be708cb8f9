// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  import FacetMacros
  import SwiftSyntax
  import SwiftSyntaxBuilder
  import SwiftSyntaxMacroExpansion
  import SwiftSyntaxMacrosGenericTestSupport
  import Testing

  @Suite("Expansions of macros")
  struct ExpansionTests {
    private static let macros: [String: MacroSpec] = [
      "Generable": MacroSpec(type: GenerableMacro.self, conformances: ["Generable"]),
      "Guide": MacroSpec(type: GuideMacro.self),
    ]

    /// Holds `source` against what it is expanded to and what is said about it.
    private static func expect(
      _ source: String, _ expanded: String, _ diagnostics: [DiagnosticSpec] = []
    ) {
      assertMacroExpansion(
        source, expandedSource: expanded, diagnostics: diagnostics, macroSpecs: macros,
        indentationWidth: .spaces(2), failureHandler: { Issue.record("\($0.message)") })
    }

    @Test("a struct is written out with its members and what they are while it grows")
    func structure() {
      Self.expect(
        """
        @Generable(description: "A city")
        public struct City {
          @Guide(description: "In English", .maximumLength(20)) public var name: String
          var sights: [String]?
        }
        """,
        """
        public struct City {
          public var name: String
          var sights: [String]?

          public static var generationOutline: Facet.GenerationOutline {
            .object(description: "A city", [
              Facet.GenerationOutline.Member("name", String.self, description: "In English", guides: [.maximumLength(20)]),
              Facet.GenerationOutline.Member("sights", [String].self, isOptional: true),
            ])
          }

          public struct PartiallyGenerated: Decodable, Sendable {
            public var name: String.PartiallyGenerated?
            var sights: [String].PartiallyGenerated?
            public init(from decoder: any Decoder) throws {
              let members = try Facet.GrowingMembers(decoder)
              self.name = members.value("name")
              self.sights = members.value("sights")
            }
          }
        }

        extension City: Generable {
        }
        """)
    }

    @Test("an enumeration with raw values is one of them")
    func enumeration() {
      Self.expect(
        """
        @Generable
        enum Size: String {
          case small, large = "big"
        }
        """,
        """
        enum Size: String {
          case small, large = "big"

          static var generationOutline: Facet.GenerationOutline {
            .choices([Self.small.rawValue, Self.large.rawValue])
          }
        }

        extension Size: Generable {
        }
        """)
    }

    @Test("what cannot be a value of JSON is refused, word for word")
    func refusals() {
      Self.expect(
        """
        @Generable
        final class City {}
        """,
        """
        final class City {}
        """,
        [
          DiagnosticSpec(
            message:
              "'@Generable' is for structs and enumerations. Make this a struct, or write its "
              + "'Generable' conformance by hand.", line: 1, column: 1)
        ])
      Self.expect(
        """
        @Generable
        enum Nothing {}
        """,
        """
        enum Nothing {}
        """,
        [
          DiagnosticSpec(
            message:
              "'@Generable' needs at least one case: a model cannot write a value of an enumeration "
              + "without any.", line: 1, column: 1)
        ])
      Self.expect(
        """
        struct City {
          @Guide(description: "Half") var half: Int { 2 }
        }
        """,
        """
        struct City {
          var half: Int { 2 }
        }
        """,
        [
          DiagnosticSpec(
            message:
              "'@Guide' is for stored properties of a '@Generable' struct: nothing else is a member "
              + "of its JSON.", line: 2, column: 3)
        ])
      Self.expect(
        """
        @Generable
        struct City {
          var name = "Rome"
        }
        """,
        """
        struct City {
          var name = "Rome"

          static var generationOutline: Facet.GenerationOutline {
            .object([
            ])
          }

          struct PartiallyGenerated: Decodable, Sendable {
            init(from decoder: any Decoder) throws {
              _ = try Facet.GrowingMembers(decoder)
            }
          }
        }

        extension City: Generable {
        }
        """,
        [
          DiagnosticSpec(
            message:
              "The property 'name' needs its type written out: '@Generable' sees only the source.",
            line: 3, column: 7)
        ])
    }
  }
#endif
