// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser

/// How a text is cut into chunks, and how many of them are read.
struct ChunkChoice {
  private let length: Int
  private let most: Int?

  /// Chunks of `length` tokens, at most `most` of them.
  init(_ length: Int, _ most: Int?) {
    self.length = length
    self.most = most
  }

  /// Refuses what is no chunk.
  func validate() throws {
    if let most, most < 1 {
      throw ValidationError("The number of chunks is \(most); it must be 1 or more.")
    }
    if length < 4 { throw ValidationError("A chunk is \(length) tokens; it must be 4 or more.") }
  }
}
