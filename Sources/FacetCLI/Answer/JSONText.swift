// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// JSON as the command prints it: keys in order, slashes as they are.
enum JSONText {
  /// `value` on one line.
  static func line(_ value: some Encodable) throws -> String { try text(value, []) }

  /// `value` for reading: one key a line.
  static func page(_ value: some Encodable) throws -> String { try text(value, .prettyPrinted) }

  private static func text(
    _ value: some Encodable, _ form: JSONEncoder.OutputFormatting
  ) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = form.union([.sortedKeys, .withoutEscapingSlashes])
    encoder.dateEncodingStrategy = .iso8601
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
