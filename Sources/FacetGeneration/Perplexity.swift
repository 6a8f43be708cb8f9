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
    let rows = rowsAtOnce
    for index in 0..<chunks {
      try Task.checkCancellation()
      let chunk = chunk(index, of: tokens, length: chunkLength)
      session.reset()
      for part in Session.parts(of: chunk, rows: rows) {
        let logits = try session.forward(part.tokens, logits: .rows(Array(part.counted)))
        let totals = backend.logSumExp(logits)
        logits.withFloats { logits in
          for (row, target) in part.targets.enumerated() {
            let logit = logits[row * configuration.vocabulary + Int(target)]
            result.add(loss: totals[row] - Double(logit))
          }
        }
      }
      result.endChunk()
      try progress(result, chunks)
    }
    return result
  }

  /// Rows of logits that are computed at once: many, since each time the head is read and expanded
  /// anew; no more than take 256 MB or so.
  var rowsAtOnce: Int { max(64, min(256, (1 << 28) / (4 * configuration.vocabulary))) }

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
  /// Some tokens of a chunk, and what follows those of them that count.
  struct ChunkPart: Equatable {
    var tokens: [TokenID]
    /// The places of `tokens` whose predictions count.
    var counted: Range<Int>
    /// What comes after each of them.
    var targets: [TokenID]
  }

  /// `chunk` in parts that fit a pass, none of which counts more than `rows` tokens.
  ///
  /// The second half counts, less the last token, which nothing follows and nobody need read.
  static func parts(of chunk: [TokenID], rows: Int) -> [ChunkPart] {
    var parts: [ChunkPart] = []
    let (first, end) = (chunk.count / 2, chunk.count - 1)
    var start = 0
    while start < end {
      // Up to `rows` tokens beyond the half, or beyond what was read.
      let stop = min(end, start + Self.chunk, max(start, first) + rows)
      let counted = max(start, first)..<max(stop, first)
      let isCounted = stop > first
      parts.append(
        ChunkPart(
          tokens: Array(chunk[start..<stop]),
          counted: isCounted ? counted.lowerBound - start..<stop - start : 0..<0,
          targets: isCounted ? Array(chunk[counted.lowerBound + 1..<stop + 1]) : []))
      start = stop
    }
    return parts
  }
}
