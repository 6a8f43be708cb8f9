// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// Schemas of the Gemini API.
package enum GeminiSchema {
  /// A schema of the Gemini API as JSON Schema: types are in capitals there, `nullable` is a flag, and
  /// numbers that stand for counts are texts.
  package static func jsonSchema(_ value: JSON) -> JSON {
    guard let object = value.object else { return value }
    var result = JSONObject()
    let isNullable = object["nullable"]?.bool == true
    for member in object.members {
      switch (member.key, member.value) {
      case ("nullable", _), ("propertyOrdering", _), ("property_ordering", _), ("example", _),
        ("format", _):
        continue
      case ("type", .string(let type)):
        let name = JSON.string(type.lowercased())
        _ = result.append("type", isNullable ? .array([name, "null"]) : name)
      case ("properties", .object(let properties)):
        var converted = JSONObject()
        for property in properties.members {
          _ = converted.append(property.key, jsonSchema(property.value))
        }
        _ = result.append("properties", .object(converted))
      case ("items", let items): _ = result.append("items", jsonSchema(items))
      case ("anyOf", .array(let list)), ("any_of", .array(let list)):
        _ = result.append("anyOf", .array(list.map(jsonSchema)))
      case (let key, .string(let text)) where Self.counts[key] != nil && Int(text) != nil:
        _ = result.append(Self.counts[key] ?? key, .integer(Int(text) ?? 0))
      case (let key, let value): _ = result.append(Self.counts[key] ?? key, value)
      }
    }
    return .object(result)
  }

  private static let counts = [
    "minItems": "minItems", "maxItems": "maxItems", "minLength": "minLength",
    "maxLength": "maxLength", "minProperties": "minProperties", "maxProperties": "maxProperties",
    "min_items": "minItems", "max_items": "maxItems", "min_length": "minLength",
    "max_length": "maxLength",
  ]
}
