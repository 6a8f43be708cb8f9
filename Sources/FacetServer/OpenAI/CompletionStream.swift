// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON
import FacetTokenizer

/// The chunks of a streamed `POST /v1/completions`: one prompt after the other.
struct CompletionStream {
  private typealias Choice = OpenAICompletion.Choice

  private let asked: OpenAICompletion.Asked
  /// What every chunk begins with.
  private let start: JSONObject
  private var usage = OpenAIShapes.Usage()

  init(_ asked: OpenAICompletion.Asked) {
    self.asked = asked
    start = JSONObject().adding([
      "id": .string(OpenAIShapes.id("cmpl-")), "object": "text_completion",
      "created": OpenAIShapes.now, "model": .string(asked.model.name),
    ])
  }

  /// Prompt `number` where it is echoed, and its answers as they come; `feed` is nil where none was asked for.
  mutating func write(
    _ number: Int, _ feed: AsyncThrowingStream<AnswerUpdate, any Error>?,
    to writer: inout StreamWriter
  ) async throws {
    let prompt = asked.prompts[number]
    usage.prompt += prompt.tokens.count
    let written = Array(prompt.tokens.dropFirst(prompt.added))
    let tokenizer = asked.model.tokenizer
    if asked.echo {
      let echoed = Choice(text: tokenizer.decode(written, skippingControl: false))
      for choice in 0..<asked.choices {
        try await send(echoed, number, choice, isEnd: feed == nil, to: &writer)
      }
    }
    guard let feed else { return }
    let list = LegacyLogProbabilities(
      tokenizer, after: tokenizer.decode(written).unicodeScalars.count)
    var lists = [LegacyLogProbabilities](repeating: list, count: asked.choices)
    for try await update in feed {
      guard case .event(let event, let index) = update else {
        try await writer.ping()
        continue
      }
      switch event {
      case .prefill: break
      case .token(let token):
        if let choice = choice(of: token, &lists[index]) {
          try await send(choice, number, index, to: &writer)
        }
      case .rest(let text): try await send(Choice(text: text), number, index, to: &writer)
      case .finished(let summary):
        let choice = Choice(reason: try finish(summary, index))
        try await send(choice, number, index, isEnd: true, to: &writer)
      }
    }
  }

  /// What a token adds to an answer; nil where it completes no text and nobody asked how likely it was.
  private func choice(
    of token: GeneratedToken, _ list: inout LegacyLogProbabilities
  ) -> Choice? {
    guard asked.options.logProbabilities != nil else {
      return token.text.isEmpty ? nil : Choice(text: token.text)
    }
    list.add(token)
    return Choice(text: token.text, logprobs: list.takeLast())
  }

  /// The last chunk, with the tokens of all where they were asked for, and the mark of the end.
  mutating func end(_ writer: inout StreamWriter) async throws {
    if asked.includesUsage {
      try await writer.send(.object(start.adding(["choices": .array([]), "usage": usage.json])))
    }
    try await writer.send(StreamFrame(text: "[DONE]"))
  }

  /// Counts the tokens of an answer; why it ended.
  private mutating func finish(_ summary: GenerationSummary, _ index: Int) throws -> String {
    let reason = OpenAIShapes.finishReason(try CompletedAnswer.complete(summary).reason)
    usage.completion += summary.generatedTokens
    usage.cached += index == 0 ? summary.cachedTokens : 0
    return reason
  }

  private func send(
    _ choice: Choice, _ number: Int, _ index: Int, isEnd: Bool = false,
    to writer: inout StreamWriter
  ) async throws {
    let entry = choice.json(number * asked.choices + index, isEnd: isEnd)
    try await writer.send(
      .object(
        start.adding(["choices": .array([entry]), "usage": asked.includesUsage ? .null : nil])))
  }
}
