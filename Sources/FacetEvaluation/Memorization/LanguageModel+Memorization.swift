// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGeneration
internal import FacetModel
internal import FacetTensor
public import FacetTokenizer

extension LanguageModel {
  /// Tries places of `documents`: whether the model, given some tokens, goes on as the corpus does.
  ///
  /// After Anil et al. 2023 and the Gemma report, with places anywhere in the documents instead of their
  /// beginnings alone. Greedy; `progress` is told how many places are done, and throwing from it stops.
  public func memorization(
    of documents: [[TokenID]], options: MemorizationResult.Options = .init(),
    progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> MemorizationResult {
    let places = try MemorizationPlaces(documents, options, longest: configuration.contextLength)
    let chosen = places.chosen()
    var trials: [MemorizationResult.Trial] = []
    trials.reserveCapacity(chosen.count)
    for start in stride(from: 0, to: chosen.count, by: options.batch) {
      try progress(start, chosen.count)
      let part = chosen[start..<min(chosen.count, start + options.batch)]
      let prefixes = part.map { Array(documents[$0.document][$0.start...].prefix(options.prefix)) }
      let written = try continued(prefixes, count: options.continuation)
      for (place, (prefix, written)) in zip(part, zip(prefixes, written)) {
        let truth = Array(
          documents[place.document][(place.start + options.prefix)...].prefix(options.continuation))
        trials.append(
          MemorizationResult.Trial(
            document: place.document, start: place.start, prefix: prefix, truth: truth,
            written: written, distance: EditDistance.of(written, truth)))
      }
    }
    try progress(chosen.count, chosen.count)
    return MemorizationResult(options: options, trials: trials)
  }

  /// The likeliest `count` tokens after each prefix, token by token, all prefixes side by side.
  private func continued(_ prefixes: [[TokenID]], count: Int) throws -> [[TokenID]] {
    let beginning = tokenizer.special.addsBOS ? tokenizer.special.bos.map { [$0] } ?? [] : []
    let prompts = prefixes.map { beginning + $0 }
    let caches = try prompts.map {
      try transformer.makeCache(capacity: $0.count + count, chunk: $0.count)
    }
    let workspace = Workspace()
    var written = prefixes.map { _ in [TokenID]() }
    var next = prompts
    for _ in 0..<count {
      let sequences = zip(caches, next).map {
        Batch.Sequence(cache: $0, count: $1.count, adapters: adapters)
      }
      let logits = try transformer.forward(
        Batch(next.flatMap { $0 }, sequences: sequences, logits: .last), workspace: workspace)
      let tokens = Self.likeliest(logits, rows: prefixes.count)
      for (index, token) in tokens.enumerated() { written[index].append(token) }
      next = tokens.map { [$0] }
    }
    return written
  }

  /// The token with the greatest logit of each row; the first of several.
  private static func likeliest(_ logits: Tensor, rows: Int) -> [TokenID] {
    logits.withFloats { values in
      let width = values.count / max(1, rows)
      return (0..<rows).map { row in
        var best = row * width
        for index in row * width..<(row + 1) * width where values[index] > values[best] {
          best = index
        }
        return TokenID(best - row * width)
      }
    }
  }
}
