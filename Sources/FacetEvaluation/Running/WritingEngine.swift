// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetGeneration
import FacetModel
import FacetTensor
package import FacetTokenizer

/// Lets a model write on after prompts, several at once: always the likeliest token, or a drawn one.
package final class WritingEngine {
  /// What is asked for.
  package struct Order: Sendable {
    /// The tokens to write on after.
    package var prompt: [TokenID]
    /// Stands for the draws, where there are any.
    package var seed: UInt64

    /// An answer to `prompt`.
    package init(prompt: [TokenID], seed: UInt64 = 0) {
      self.prompt = prompt
      self.seed = seed
    }
  }

  /// Draws the tokens of one answer.
  private final class Draw {
    var sampler: Sampler

    init(temperature: Double, seed: UInt64) throws {
      sampler = try Sampler(
        Sampling(temperature: Float(temperature), topK: 0, topP: 1, seed: seed))
    }
  }

  /// One answer under way.
  private struct Answer {
    var cache: KVCache
    var next: TokenID
    var draw: Draw?
    var text = ""
    var matcher: StopMatcher
    var detokenizer: StreamingDetokenizer
    var count = 0
    var isDone = false
  }

  private let model: LanguageModel
  private let pool: CachePool
  private let settings: TaskDefinition.Generation
  private let workspace = Workspace()
  /// Answers that are written at once.
  private static let most = 16

  /// An engine for prompts that begin with `prefix` and have, answer included, at most `longest`
  /// tokens.
  package init(
    _ model: LanguageModel, prefix: [TokenID], longest: Int, _ settings: TaskDefinition.Generation
  ) {
    self.model = model
    self.settings = settings
    pool = CachePool(model, prefix: prefix, longest: longest)
  }

  /// Prompts that are best given at once.
  package var batchCount: Int { min(Self.most, pool.count) }

  /// What follows each of at most ``batchCount`` prompts, up to the first stop.
  package func write(_ orders: [Order]) throws -> [String] {
    var answers: [Answer] = []
    for (index, order) in orders.enumerated() {
      let cache = try pool.cache(index) { _ = try self.read($0[...], into: $1, nil) }
      let isDrawn = settings.temperature > 0
      let draw = try isDrawn ? Draw(temperature: settings.temperature, seed: order.seed) : nil
      let first = try read(order.prompt[cache.position...], into: cache, draw)
      answers.append(
        Answer(
          cache: cache, next: first, draw: draw, matcher: StopMatcher(settings.stops),
          detokenizer: StreamingDetokenizer(model.tokenizer)))
    }
    while true {
      for index in answers.indices where !answers[index].isDone { take(&answers[index]) }
      let open = answers.indices.filter { !answers[$0].isDone }
      if open.isEmpty { break }
      try Task.checkCancellation()
      let logits = try model.transformer.forward(
        Batch(
          open.map { answers[$0].next },
          sequences: open.map {
            Batch.Sequence(cache: answers[$0].cache, count: 1, adapters: model.adapters)
          }, logits: .last), workspace: workspace)
      for (row, index) in open.enumerated() {
        answers[index].next = try Self.next(logits.rows(row..<row + 1), answers[index].draw)
      }
    }
    return answers.map(\.text)
  }

  /// Takes the next token into an answer, and ends it where that is its end.
  private func take(_ answer: inout Answer) {
    var stop: String?
    if !model.tokenizer.special.stop.contains(answer.next) {
      answer.count += 1
      let piece = answer.matcher.append(answer.detokenizer.append(answer.next))
      answer.text += piece.text
      stop = piece.stop
      if stop == nil, answer.count < settings.mostTokens { return }
    }
    answer.isDone = true
    guard stop == nil else { return }
    let end = answer.matcher.append(answer.detokenizer.finish())
    answer.text += end.text
    if end.stop == nil { answer.text += answer.matcher.finish() }
  }

  /// Reads tokens, and returns the one after them.
  private func read(
    _ tokens: ArraySlice<TokenID>, into cache: KVCache, _ draw: Draw?
  ) throws -> TokenID {
    var rest = tokens
    var next: TokenID = 0
    while !rest.isEmpty {
      try Task.checkCancellation()
      let part = Array(rest.prefix(min(CachePool.chunk, cache.chunk)))
      rest = rest.dropFirst(part.count)
      let sequence = Batch.Sequence(cache: cache, count: part.count, adapters: model.adapters)
      let logits = try model.transformer.forward(
        Batch(part, sequences: [sequence], logits: rest.isEmpty ? .last : .none),
        workspace: workspace)
      if rest.isEmpty { next = try Self.next(logits, draw) }
    }
    return next
  }

  /// The token that is drawn; without draws the likeliest.
  private static func next(_ logits: Tensor, _ draw: Draw?) throws -> TokenID {
    guard let draw else { return likeliest(logits) }
    return try logits.withFloats { try draw.sampler.next($0) }
  }

  /// The place of the largest logit; of several the first.
  private static func likeliest(_ logits: Tensor) -> TokenID {
    logits.withFloats { values in
      var best = 0
      for index in 0..<values.count where values[index] > values[best] { best = index }
      return TokenID(best)
    }
  }
}
