// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import FacetTestSupport
import Foundation

/// What lm-eval wrote about its `dummy` model; see PROVENANCE.md.
enum ResultGolden {
  static func path(_ name: String) -> String { Goldens.path("evaluation/results/" + name) }

  static func json(_ name: String) throws -> JSON { try read(path(name)) }

  static func read(_ path: String) throws -> JSON {
    try JSONReader.read(
      [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))), path: path, numbers: .python)
  }

  static func result(_ name: String) throws -> EvaluationResult {
    try ResultReader(path(name)).read()
  }

  /// The one file in `folder` whose name begins so.
  static func file(_ folder: String, _ prefix: String) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return folder + "/" + (names.first { $0.hasPrefix(prefix) } ?? "missing")
  }

  static func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }
}
