// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Foundation

/// The files that tests read.
enum TestFiles {
  /// The bytes of a golden; a test that needs one fails without it.
  static func golden(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: Goldens.path("tokenizer/" + name))))
  }

  /// A file of the shared data beside the checkout, or one that an environment variable names.
  static func optional(_ variable: String, _ relative: String) -> String? {
    let environment = ProcessInfo.processInfo.environment
    let root = Goldens.path("").split(separator: "/").dropLast(2).joined(separator: "/")
    let candidates = [environment[variable], "/\(root)/../\(relative)"].compactMap { $0 }
    return candidates.first { FileManager.default.fileExists(atPath: $0) }
  }

  /// The beginning of a large file, where GGUF has its vocabulary.
  static func prefix(_ path: String) throws -> [UInt8] {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    return [UInt8](try file.read(upToCount: 1 << 25) ?? Data())
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
