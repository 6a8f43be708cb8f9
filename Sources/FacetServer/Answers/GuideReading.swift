// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetJSON

/// What an answer must look like, as requests of the various APIs say it.
enum GuideReading {
  /// Any JSON object.
  static let anyObject = Guide.jsonSchema(#"{"type":"object"}"#)

  /// A JSON Schema given as a value.
  static func schema(_ value: JSON) -> Guide { .jsonSchema(value.text) }

  /// OpenAI's `response_format`, llama.cpp's `json_schema` and `grammar`, vLLM's `guided_*` and
  /// `structured_outputs`; at most one of them.
  static func openAI(_ fields: Fields) throws(ServerError) -> Guide? {
    var found: [Guide] = []
    if let format = try fields.fields("response_format"), let guide = try responseFormat(format) {
      found.append(guide)
    }
    if let schema = fields["json_schema"] { found.append(Self.schema(schema)) }
    if let grammar = try fields.string("grammar"), !grammar.isEmpty {
      found.append(.grammar(grammar))
    }
    found += try vLLM(fields, prefix: "guided_")
    if let outputs = try fields.fields("structured_outputs") {
      found += try vLLM(outputs, prefix: "")
    }
    guard found.count < 2 else {
      throw ServerError(
        .invalidRequest, "The answer is given more than one form; ask for one.",
        parameter: "response_format")
    }
    return found.first
  }

  private static func responseFormat(_ format: Fields) throws(ServerError) -> Guide? {
    switch try format.text("type") {
    case "text": return nil
    case "json_object":
      // llama.cpp's form has the schema right here.
      return format["schema"].map { schema($0) } ?? anyObject
    case "json_schema":
      guard let named = try format.fields("json_schema") else {
        throw format.missing("json_schema")
      }
      guard let value = named["schema"] else { throw named.missing("schema") }
      return schema(value)
    case let other:
      throw ServerError(
        .invalidRequest,
        "'\(format.path("type"))' is '\(other)'; it must be text, json_object or json_schema.",
        parameter: format.path("type"))
    }
  }

  private static func vLLM(_ fields: Fields, prefix: String) throws(ServerError) -> [Guide] {
    var found: [Guide] = []
    if let value = fields[prefix + "json"] {
      found.append(value.string.map { .jsonSchema($0) } ?? schema(value))
    }
    if let pattern = try fields.string(prefix + "regex") {
      found.append(.regularExpression(pattern))
    }
    if let texts = try fields.strings(prefix + "choice") { found.append(.choices(texts)) }
    if let grammar = try fields.string(prefix + "grammar") { found.append(.grammar(grammar)) }
    return found
  }
}
