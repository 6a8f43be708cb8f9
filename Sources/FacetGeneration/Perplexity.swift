// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
public import FacetTokenizer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How well a model predicts a text: exp of the mean negative log-likelihood of its tokens.
///
/// Chunked exactly as llama-perplexity does, so that figures compare: the text is one row of tokens,
/// cut into chunks; the first token of each becomes the beginning-of-sequence token; only the second
/// half of a chunk counts, so that every counted token has at least half a chunk before it.
public struct Perplexity: Sendable, Hashable {
  /// Tokens of a chunk.
  public let chunkLength: Int
  /// Chunks done.
  public private(set) var chunks = 0
  /// Tokens that were counted.
  public private(set) var count = 0
  private var sum = 0.0
  private var sumOfSquares = 0.0

  init(chunkLength: Int) { self.chunkLength = chunkLength }

  /// The perplexity so far.
  public var value: Double { exp(meanLoss) }

  /// Mean negative log-likelihood of a token, in nats.
  public var meanLoss: Double { count > 0 ? sum / Double(count) : .nan }

  /// The standard error of ``value``; nil before there are two tokens.
  public var standardError: Double? {
    guard count > 1 else { return nil }
    let variance = sumOfSquares / Double(count) - meanLoss * meanLoss
    return variance > 0 ? (variance / Double(count - 1)).squareRoot() * value : 0
  }

  mutating func add(loss: Double) {
    sum += loss
    sumOfSquares += loss * loss
    count += 1
  }

  mutating func endChunk() { chunks += 1 }
}

extension LanguageModel {
  /// The perplexity of `tokens` [N], at most `most` chunks of `chunkLength` of them.
  ///
  /// `progress` is told the figure after every chunk and of how many; throwing from it stops.
  public func perplexity(
    of tokens: [TokenID], chunkLength: Int = 512, most: Int? = nil,
    progress: (Perplexity, Int) throws -> Void = { _, _ in }
  ) throws -> Perplexity {
    let chunks = try chunks(of: tokens, length: chunkLength, most: most)
    var result = Perplexity(chunkLength: chunkLength)
    var session = try Session(self, context: chunkLength)
    for index in 0..<chunks {
      try Task.checkCancellation()
      let chunk = chunk(index, of: tokens, length: chunkLength)
      try session.readFirstHalf(of: chunk)
      for part in Session.countedParts(of: chunk) {
        let logits = try session.forward(part.tokens, logits: .all)
        for (row, target) in part.targets.enumerated() {
          logits.rows(row..<row + 1).withFloats { row in
            result.add(loss: row.logSumExp() - Double(row[Int(target)]))
          }
        }
      }
      result.endChunk()
      try progress(result, chunks)
    }
    return result
  }

  /// How many chunks of `length` tokens are measured; throws when there is none.
  func chunks(of tokens: [TokenID], length: Int, most: Int?) throws(GenerationError) -> Int {
    guard length >= 4, length <= configuration.contextLength else {
      throw GenerationError(
        .invalidOption,
        "Chunks of \(length) tokens are asked for; \(card.name) takes between 4 and "
          + "\(configuration.contextLength).")
    }
    let chunks = min(tokens.count / length, most ?? .max)
    guard chunks > 0 else {
      throw GenerationError(
        .emptyInput,
        "The text has \(tokens.count) tokens, and one chunk takes \(length). Use a longer text "
          + "or smaller chunks.")
    }
    return chunks
  }

  /// The tokens of chunk `index`, beginning of sequence first.
  func chunk(_ index: Int, of tokens: [TokenID], length: Int) -> [TokenID] {
    var chunk = Array(tokens[index * length..<(index + 1) * length])
    if tokenizer.special.addsBOS, let bos = tokenizer.special.bos { chunk[0] = bos }
    return chunk
  }
}

extension Session {
  /// A few tokens of the second half of a chunk, and what follows each.
  struct CountedPart {
    var tokens: [TokenID]
    var targets: [TokenID]
  }

  /// Reads what comes before the tokens that count.
  mutating func readFirstHalf(of chunk: [TokenID]) throws {
    reset()
    let first = chunk.count / 2
    for start in stride(from: 0, to: first, by: Self.chunk) {
      _ = try forward(Array(chunk[start..<min(start + Self.chunk, first)]), logits: .none)
    }
  }

  /// The second half of `chunk`, a few rows at a time: the logits of all would take more memory than
  /// a small model.
  static func countedParts(of chunk: [TokenID]) -> [CountedPart] {
    stride(from: chunk.count / 2, to: chunk.count - 1, by: 64).map { start in
      let end = min(start + 64, chunk.count - 1)
      return CountedPart(
        tokens: Array(chunk[start..<end]), targets: Array(chunk[start + 1..<end + 1]))
    }
  }
}
