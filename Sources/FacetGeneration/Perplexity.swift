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
    guard chunkLength >= 4, chunkLength <= configuration.contextLength else {
      throw GenerationError(
        .invalidOption,
        "Chunks of \(chunkLength) tokens are asked for; \(card.name) takes between 4 and "
          + "\(configuration.contextLength).")
    }
    let chunks = min(tokens.count / chunkLength, most ?? .max)
    guard chunks > 0 else {
      throw GenerationError(
        .emptyInput,
        "The text has \(tokens.count) tokens, and one chunk takes \(chunkLength). Use a longer text "
          + "or smaller chunks.")
    }
    var result = Perplexity(chunkLength: chunkLength)
    var session = try Session(self, context: chunkLength)
    for chunk in 0..<chunks {
      try Task.checkCancellation()
      var part = Array(tokens[chunk * chunkLength..<(chunk + 1) * chunkLength])
      if tokenizer.special.addsBOS, let bos = tokenizer.special.bos { part[0] = bos }
      session.reset()
      try Self.add(part, to: &result, &session)
      try progress(result, chunks)
    }
    return result
  }

  /// Adds the losses of the second half of one chunk.
  private static func add(
    _ chunk: [TokenID], to result: inout Perplexity, _ session: inout Session
  ) throws {
    let first = chunk.count / 2
    for start in stride(from: 0, to: first, by: Session.chunk) {
      let part = Array(chunk[start..<min(start + Session.chunk, first)])
      _ = try session.forward(part, logits: .none)
    }
    // A few rows at a time: the logits of all would take more memory than a small model.
    for start in stride(from: first, to: chunk.count - 1, by: 64) {
      let range = start..<min(start + 64, chunk.count - 1)
      let logits = try session.forward(Array(chunk[range]), logits: .all)
      for (row, position) in range.enumerated() {
        logits.rows(row..<row + 1).withFloats { row in
          let target = Double(row[Int(chunk[position + 1])])
          result.add(loss: row.logSumExp() - target)
        }
      }
    }
    result.endChunk()
  }
}
