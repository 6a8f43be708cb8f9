// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
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
      var choice = Choice()
      switch event {
      case .prefill: continue
      case .token(let token):
        choice.text = token.text
        if asked.options.logProbabilities != nil {
          lists[index].add(token)
          choice.logprobs = lists[index].takeLast()
        }
        guard !choice.text.isEmpty || choice.logprobs != nil else { continue }
      case .rest(let text): choice.text = text
      case .finished(let summary): choice.reason = try finish(summary, index)
      }
      let isEnd = if case .finished = event { true } else { false }
      try await send(choice, number, index, isEnd: isEnd, to: &writer)
    }
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
    _ choice: Choice, _ number: Int, _ index: Int, isEnd: Bool, to writer: inout StreamWriter
  ) async throws {
    let entry = choice.json(number * asked.choices + index, isEnd: isEnd)
    try await writer.send(
      .object(
        start.adding(["choices": .array([entry]), "usage": asked.includesUsage ? .null : nil])))
  }
}
