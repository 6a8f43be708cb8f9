// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGuides
import Foundation

/// The JSON Schema of an answer or of a tool's arguments.
public struct Schema: Sendable, Hashable, Codable {
  /// The schema as JSON text.
  public let text: String

  /// A schema that was written by hand; docs/guided-generation.md says what of JSON Schema is supported.
  public init(_ text: String) { self.text = text }

  /// The schema of the JSON that `type` is decoded from.
  ///
  /// The type is asked, not read: it is decoded from a source that notes what is asked for. So its own
  /// decoding counts, with coding keys as they are. Nested types, arrays, dictionaries with text keys,
  /// optionals, `Date` (ISO 8601), `URL`, `UUID`, `Decimal` and enumerations with raw values that are
  /// `CaseIterable` are understood. Others are refused with a sentence that names the type.
  public init<T: Decodable>(of type: T.Type) throws { text = try SchemaProbe.schema(of: type) }

  /// Answers that hold to the schema.
  public var guide: Guide { .jsonSchema(text) }

  /// The value that JSON text stands for.
  static func decode<T: Decodable>(_ type: T.Type, from text: String) throws -> T {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(type, from: Data(text.utf8))
  }
}
