// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor
package import FacetTokenizer

/// The places of a corpus at which a prefix and its continuation fit, and some of them by lot.
package struct MemorizationPlaces: Sendable {
  /// A token of a document.
  package struct Place: Sendable, Hashable {
    package var document: Int
    package var start: Int
  }

  private let options: MemorizationResult.Options
  /// Places of each document.
  private let counts: [Int]
  private let total: Int

  /// Throws when an option is out of range or no document is long enough.
  package init(
    _ documents: [[TokenID]], _ options: MemorizationResult.Options, longest: Int
  ) throws(EvaluationError) {
    guard options.prefix >= 1, options.continuation >= 1, options.samples >= 1, options.batch >= 1,
      options.prefix <= longest, options.continuation <= longest
    else {
      throw EvaluationError(
        .invalidSetting,
        "Prefix, continuation, samples and batch must be 1 or more, and the text at most \(longest) "
          + "tokens.")
    }
    let length = options.prefix + options.continuation
    guard length < longest else {
      throw EvaluationError(
        .invalidSetting,
        "A prefix of \(options.prefix) and a continuation of \(options.continuation) tokens do not fit "
          + "the model's \(longest).")
    }
    self.options = options
    counts = documents.map { max(0, $0.count - length + 1) }
    total = counts.reduce(0, +)
    guard total > 0 else {
      throw EvaluationError(
        .invalidData,
        "No text of the corpus has \(length) tokens; the longest has "
          + "\(documents.map(\.count).max() ?? 0).")
    }
  }

  /// As many places as are asked for, each once, in the order of the corpus.
  package func chosen() -> [Place] {
    var numbers: Set<Int> = []
    if options.samples >= total {
      numbers = Set(0..<total)
    } else {
      // Floyd's way to draw without repetition: one draw for each place.
      var random = RandomGenerator(seed: options.seed)
      for last in total - options.samples..<total {
        let drawn = Int(random.next().multipliedFullWidth(by: UInt64(last) + 1).high)
        if !numbers.insert(drawn).inserted { numbers.insert(last) }
      }
    }
    var places: [Place] = []
    var (document, before) = (0, 0)
    for number in numbers.sorted() {
      while number >= before + counts[document] {
        before += counts[document]
        document += 1
      }
      places.append(Place(document: document, start: number - before))
    }
    return places
  }
}
