// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON
import FacetTokenizer
import Hummingbird

/// `POST /v1/completions`, with `echo` and log-probabilities of the prompt: what evaluation asks for.
struct OpenAICompletion: Sendable {
  let server: Server

  /// What a request asks for.
  struct Asked: Sendable {
    var model: ServedModel
    /// For each prompt its tokens, and how many of the first the client did not write.
    var prompts: [(tokens: [TokenID], added: Int)]
    var options: GenerationOptions
    var choices: Int
    var echo: Bool
    var isStream: Bool
    var includesUsage: Bool
  }

  @Sendable func respond(_ request: Request, _ context: ServerContext) async throws -> Response {
    let arrival = ContinuousClock.now
    let asked = try await read(try await request.fields(server, context))
    let watch = await context.clientWatch()
    if asked.isStream { return try stream(asked, watch, arrival) }
    return .json(
      try await watch.whileConnected { try await self.complete(asked, watch, arrival) })
  }

  /// A text whose continuation is not streamed, for routes that carry one inside.
  func answer(_ fields: Fields, watch: ClientWatch?) async throws -> JSON {
    try await complete(try await read(fields), watch, ContinuousClock.now)
  }

  // MARK: Reading

  private func read(_ fields: Fields) async throws -> Asked {
    let model = try await server.models.model(try fields.string("model"))
    var options = try OpenAIOptions.read(fields, for: model, server.settings)
    options.maxTokens = try fields.integer("max_tokens") ?? 16
    options.logProbabilities = try fields.integer("logprobs", in: 0...20)
    if let suffix = try fields.string("suffix"), !suffix.isEmpty {
      throw ServerError(
        .unsupported, "The model cannot fill in text before a suffix.", parameter: "suffix")
    }
    let inputs = try TextInput.read(fields, "prompt")
    guard !inputs.isEmpty else { throw fields.wrong("prompt", "at least one text") }
    guard inputs.count <= Self.mostPrompts else {
      throw ServerError(
        .tooLarge,
        "'prompt' has \(inputs.count) texts; at most \(Self.mostPrompts) are allowed at once.",
        parameter: "prompt")
    }
    var prompts: [(tokens: [TokenID], added: Int)] = []
    for input in inputs { prompts.append(try input.tokens(model.tokenizer)) }
    let asked = Asked(
      model: model, prompts: prompts, options: options,
      choices: try OpenAIOptions.choices(fields, server.settings),
      echo: try fields.bool("echo") ?? false, isStream: try fields.bool("stream") ?? false,
      includesUsage: try fields.fields("stream_options")?.bool("include_usage") ?? false)
    guard asked.echo || options.maxTokens != 0 else {
      throw ServerError(
        .invalidRequest, "'max_tokens' is 0; it must be 1 or more, except with echo.",
        parameter: "max_tokens")
    }
    guard !(asked.echo && asked.isStream && options.logProbabilities != nil) else {
      throw ServerError(
        .unsupported, "Log-probabilities of the prompt are not streamed; ask without 'stream'.",
        parameter: "stream")
    }
    return asked
  }

  /// Prompts of one request.
  private static let mostPrompts = 256

  // MARK: Writing

  private func complete(
    _ asked: Asked, _ watch: ClientWatch?, _ arrival: ContinuousClock.Instant
  ) async throws -> JSON {
    let results = try await withThrowingTaskGroup(of: (Int, [Choice]).self) { group in
      for index in asked.prompts.indices {
        group.addTask { (index, try await self.choices(asked, index, watch, arrival)) }
      }
      var results = [[Choice]](repeating: [], count: asked.prompts.count)
      for try await (index, choices) in group { results[index] = choices }
      return results
    }
    var usage = OpenAIShapes.Usage()
    var choices: [JSON] = []
    for (prompt, list) in zip(asked.prompts, results) {
      usage.prompt += prompt.tokens.count
      for choice in list {
        usage.completion += choice.generated
        usage.cached += choice.cached
        choices.append(choice.json(choices.count))
      }
    }
    return .record([
      "id": .string(OpenAIShapes.id("cmpl-")), "object": "text_completion",
      "created": OpenAIShapes.now, "model": .string(asked.model.name),
      "choices": .array(choices), "usage": usage.json,
      "system_fingerprint": .string(server.fingerprint),
    ])
  }

  /// One answer, with its prompt where `echo` asks for it.
  struct Choice: Sendable {
    var text = ""
    var logprobs: JSON?
    var reason = "length"
    var generated = 0
    var cached = 0

    /// `isEnd`: whether the reason for its end is said.
    func json(_ index: Int, isEnd: Bool = true) -> JSON {
      .record([
        "text": .string(text), "index": .integer(index), "logprobs": logprobs ?? .null,
        "finish_reason": isEnd ? .string(reason) : .null,
      ])
    }
  }

  private func choices(
    _ asked: Asked, _ index: Int, _ watch: ClientWatch?, _ arrival: ContinuousClock.Instant
  ) async throws -> [Choice] {
    let prompt = asked.prompts[index]
    let tokenizer = asked.model.tokenizer
    let written = Array(prompt.tokens.dropFirst(prompt.added))
    var scored: [ScoredToken] = []
    if asked.echo, let alternatives = asked.options.logProbabilities {
      let all = try await asked.model.engine.score(prompt.tokens, alternatives: alternatives)
      scored = Array(all.dropFirst(prompt.added))
    }
    let echoed = asked.echo ? tokenizer.decode(written, skippingControl: false) : ""
    var answers: [CompletedAnswer?] = [nil]
    if asked.options.maxTokens != 0 {
      let request = AnswerRequest(
        prompt: Prompt(tokens: prompt.tokens), options: asked.options, choices: asked.choices)
      answers = try await CompletedAnswer.collect(
        AnswerFeed.open(
          request, of: asked.model, watch: watch, metrics: server.metrics, arrival: arrival),
        of: request, asked.model)
    }
    return answers.enumerated().map { position, answer in
      var choice = Choice(text: echoed + (answer?.text ?? ""))
      if let answer {
        choice.reason = OpenAIShapes.finishReason(answer.summary.reason)
        choice.generated = answer.summary.generatedTokens
        choice.cached = position == 0 ? answer.summary.cachedTokens : 0
      }
      if asked.options.logProbabilities != nil {
        var list = LegacyLogProbabilities(
          tokenizer, after: asked.echo ? 0 : tokenizer.decode(written).unicodeScalars.count)
        if asked.echo { for token in scored { list.add(token) } }
        for token in answer?.tokens ?? [] { list.add(token) }
        choice.logprobs = list.json
      }
      return choice
    }
  }

  private func stream(
    _ asked: Asked, _ watch: ClientWatch?, _ arrival: ContinuousClock.Instant
  ) throws -> Response {
    var feeds: [AsyncThrowingStream<AnswerUpdate, any Error>] = []
    for prompt in asked.prompts where asked.options.maxTokens != 0 {
      feeds.append(
        try AnswerFeed.open(
          AnswerRequest(
            prompt: Prompt(tokens: prompt.tokens), options: asked.options, choices: asked.choices),
          of: asked.model, watch: watch, metrics: server.metrics, arrival: arrival, pings: true))
    }
    return .stream(.events, refusal: OpenAIChat.frame) { [feeds] writer in
      var stream = CompletionStream(asked)
      for index in asked.prompts.indices {
        try await stream.write(
          index, feeds.indices.contains(index) ? feeds[index] : nil, to: &writer)
      }
      try await stream.end(&writer)
    }
  }
}
