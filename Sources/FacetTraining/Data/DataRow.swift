// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// One row of a file: its fields, whatever form they are in.
struct DataRow: Sendable {
  var place: RowPlace
  var fields: [String: JSON]

  /// The value of a field; nil when the row has none, or null.
  subscript(name: String) -> JSON? {
    guard let value = fields[name], value != .null else { return nil }
    return value
  }

  /// Whether the row has a value for every one of these fields.
  func has(_ names: String...) -> Bool { names.allSatisfy { self[$0] != nil } }

  /// The text of a field; nil when the row has none.
  func text(_ name: String) throws(TrainingError) -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.string else { throw place.invalid("has a '\(name)' that is no text.") }
    return text
  }
}
