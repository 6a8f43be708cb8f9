// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Text that comes through standard input.
enum StandardInput {
  /// All of it, without the newline that ends its last line.
  static func text() throws -> String {
    let data = try FileHandle.standardInput.readToEnd() ?? Data()
    guard let text = String(bytes: data, encoding: .utf8) else {
      throw Failure("Standard input is not UTF-8 text.")
    }
    return text.hasSuffix("\r\n")
      ? String(text.dropLast()) : text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}
