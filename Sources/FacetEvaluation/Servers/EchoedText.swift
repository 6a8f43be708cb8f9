// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// A prompt as a server gives it back: its tokens, where each begins, and how likely each was.
struct EchoedText {
  private struct Token {
    /// Where its text begins and ends in the prompt, in code points.
    var start: Int
    var end: Int
    /// ln p; nil of the first, before which nothing stands.
    var logProbability: Double?
    /// The largest ln p at its place.
    var greatest: Double?
  }

  private var tokens: [Token] = []
  private let promptLength: Int
  private let address: String

  /// Reads a choice that answers `prompt`.
  init(_ choice: JSON, prompt: String, address: String) throws(EvaluationError) {
    self.address = address
    promptLength = prompt.unicodeScalars.count
    let lists = choice["logprobs"]
    guard let texts = lists?["tokens"]?.array, let values = lists?["token_logprobs"]?.array,
      let places = lists?["text_offset"]?.array?.compactMap(\.integer),
      texts.count == values.count, texts.count == places.count
    else {
      throw EvaluationError(
        .server,
        "\(address) does not echo the prompt with 'tokens', 'token_logprobs' and 'text_offset'; "
          + "likelihoods cannot be had from it.")
    }
    let top = lists?["top_logprobs"]?.array ?? []
    // Some servers show the token that begins a text, and count its name as text.
    let isShown = texts.first?.string.map { !prompt.hasPrefix($0) } ?? false
    let shift = isShown && places.count > 1 ? places[1] : places.first ?? 0
    for place in texts.indices {
      let end = place + 1 < places.count ? places[place + 1] : .max
      let others = top.indices.contains(place) ? top[place].object?.members ?? [] : []
      tokens.append(
        Token(
          start: places[place].subtractingReportingOverflow(shift).partialValue,
          end: end.subtractingReportingOverflow(shift).partialValue,
          logProbability: values[place].number,
          greatest: others.compactMap(\.value.number).max()))
    }
  }

  /// How likely the model held what follows `context` in the prompt.
  func likelihood(after context: String) throws(EvaluationError) -> DocumentScore.Response {
    let begin = context.unicodeScalars.count
    let asked = tokens.filter { $0.start < promptLength && ($0.start >= begin || $0.end > begin) }
    guard !asked.isEmpty else {
      throw EvaluationError(.server, "\(address) shows no tokens of the continuation.")
    }
    var sum = 0.0
    var isGreedy = true
    for token in asked {
      guard let value = token.logProbability else {
        throw EvaluationError(
          .server,
          "\(address) does not say how likely the first token of a text is; texts without a context "
            + "cannot be scored there.")
      }
      guard let greatest = token.greatest else {
        throw EvaluationError(
          .server, "\(address) gives no 'top_logprobs', which say what the likeliest token was.")
      }
      sum += value
      isGreedy = isGreedy && value >= greatest
    }
    return .likelihood(logProbability: sum, isGreedy: isGreedy)
  }
}
