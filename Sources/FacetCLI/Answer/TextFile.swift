// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// A file of text that the command reads whole.
enum TextFile {
  /// What `path` holds.
  static func read(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure("There is no file '\(path)' that can be read.")
    }
    guard let text = String(bytes: data, encoding: .utf8) else {
      throw Failure("'\(path)' is not UTF-8 text.")
    }
    return text
  }
}
