// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

extension JSON {
  /// An object with the members that have a value, in their order.
  static func record(_ members: KeyValuePairs<String, JSON?>) -> JSON {
    var object = JSONObject()
    for (key, value) in members {
      if let value { _ = object.append(key, value) }
    }
    return .object(object)
  }

  /// A list of texts.
  static func strings(_ values: some Sequence<String>) -> JSON {
    .array(values.map { .string($0) })
  }

  /// A list of whole numbers.
  static func integers(_ values: some Sequence<some BinaryInteger>) -> JSON {
    .array(values.map { .integer(Int($0)) })
  }

  /// A list of numbers.
  static func numbers(_ values: some Sequence<Float>) -> JSON {
    .array(values.map { .number(Double($0)) })
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
}

extension JSONObject {
  /// The object with more members, those that have a value.
  func adding(_ members: KeyValuePairs<String, JSON?>) -> JSONObject {
    var result = self
    for (key, value) in members {
      if let value { _ = result.append(key, value) }
    }
    return result
  }
}
