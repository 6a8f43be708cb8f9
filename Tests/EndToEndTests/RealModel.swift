// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Testing

/// The default model, where the library of this machine has it.
enum RealModel {
  /// The file; nil where it was never pulled.
  static let path: String? = try? ModelStore().find("gemma3:270m")?.path
  /// Why a test is skipped.
  static let absent: Comment = "gemma3:270m is not here; facet pull gemma3:270m brings it"

  /// The model in f32 throughout.
  static func exact() throws -> LanguageModel { try exactModel.get() }
  /// The model as it runs by default.
  static func fast() throws -> LanguageModel { try fastModel.get() }

  // One of each for all tests: expanding nothing, a model is its mapped file and a pool of threads.
  private static let exactModel = Result { try load(.exact) }
  private static let fastModel = Result { try load(.fast) }

  private static func load(_ precision: Precision) throws -> LanguageModel {
    try LanguageModel.load(path: #require(path), options: .init(precision: precision))
  }
}

/// What is measured on the default model: one after the other, since each test takes all cores.
@Suite("Gemma 3 270M", .serialized, .enabled(if: RealModel.path != nil, RealModel.absent))
struct RealModelTests {}

/// Texts that figures are measured on.
enum Text {
  /// The beginning of a novel, in the checkout.
  static func emma() throws -> String {
    try String(contentsOfFile: Goldens.path("texts/emma.txt"), encoding: .utf8)
  }

  /// The shared file `name`, or its first `limit` bytes.
  static func shared(_ name: String, limit: Int = .max) throws -> String {
    let path = try #require(SharedData.path(name))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path)).prefix(limit)
    return String(decoding: bytes, as: UTF8.self)
  }

  static let novel = "gutenberg/austen-emma.txt"
  static let wiki = "wikitext2/valid.txt"
  static let absent: Comment = "no ../shared/data here"
}
