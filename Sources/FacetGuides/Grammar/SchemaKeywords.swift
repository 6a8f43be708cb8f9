// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// The keywords of JSON Schema that guides know, and the refusal of all others.
enum SchemaKeywords {
  /// Keywords that ask nothing of a value.
  static let annotations: Set<String> = [
    "$schema", "$comment", "$defs", "definitions", "title", "description", "default", "examples",
    "deprecated", "readOnly", "writeOnly",
  ]

  static let supported: Set<String> = annotations.union([
    "$ref", "type", "enum", "const", "anyOf", "oneOf", "allOf",
    "properties", "required", "additionalProperties", "minProperties", "maxProperties",
    "items", "prefixItems", "minItems", "maxItems", "uniqueItems",
    "minLength", "maxLength", "pattern", "format",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
  ])

  /// Refuses every keyword of the schema at `pointer` and of the schemas in it that is not known.
  ///
  /// How deep they nest is limited by the reader of JSON.
  static func check(_ schema: JSON, _ pointer: String = "#") throws(GuideError) {
    guard let object = schema.object else {
      guard schema.bool != nil else {
        throw SchemaCompiler.refusal(
          pointer, "is neither an object nor true or false; a schema must be one of them.")
      }
      return
    }
    for member in object.members {
      let place = pointer + "/" + escape(member.key)
      if member.key == "$id", pointer == "#" { continue }
      guard supported.contains(member.key) else {
        throw GuideError(
          "The schema's keyword '\(member.key)' at '\(place)' is not supported by guides. Leave it out, "
            + "or say the same with others (docs/guided-generation.md lists them).")
      }
      switch member.key {
      case "$defs", "definitions", "properties":
        guard let schemas = member.value.object else {
          throw SchemaCompiler.refusal(place, "is no object; it must hold schemas by their names.")
        }
        for entry in schemas.members { try check(entry.value, place + "/" + escape(entry.key)) }
      case "anyOf", "oneOf", "allOf", "prefixItems":
        guard let schemas = member.value.array, !schemas.isEmpty else {
          throw SchemaCompiler.refusal(place, "must be a list of at least one schema.")
        }
        for (index, entry) in schemas.enumerated() { try check(entry, "\(place)/\(index)") }
      case "additionalProperties", "items": try check(member.value, place)
      default: break
      }
    }
  }

  /// A key as it stands in a JSON pointer (RFC 6901).
  static func escape(_ key: String) -> String {
    key.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
      .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
  }

  /// The key that a part of a JSON pointer in a reference names.
  static func unescape(_ part: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(part.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        return nil
      }
      rest = rest.dropFirst(2)
      bytes.append(value)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
      .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
  }
}
