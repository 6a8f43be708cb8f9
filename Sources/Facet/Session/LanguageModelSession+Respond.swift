// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGeneration
public import FacetGuides

/// Whether the model reads the schema of its answer in the prompt, or is only held to it.
public enum SchemaMention: Sendable, Hashable {
  /// It reads it: better answers, at the price of some tokens.
  case inPrompt
  /// It is only held to it.
  case guideOnly
}

extension LanguageModelSession {
  /// Answers `prompt` with text.
  ///
  /// Without `options`, tokens are drawn as the model's files say. `toolChoice` says whether the model
  /// may or must call tools before it answers. Cancelling the task ends the answer at the next token and
  /// throws `CancellationError`.
  public func respond(
    to prompt: String, options: GenerationOptions? = nil, toolChoice: ToolChoice = .auto
  ) async throws -> Response<String> {
    try await respond(Request(prompt: prompt, options: options, toolChoice: toolChoice))
  }

  /// Answers `prompt` with JSON that holds to `schema`.
  public func respond(
    to prompt: String, schema: Schema, mention: SchemaMention = .inPrompt,
    options: GenerationOptions? = nil
  ) async throws -> Response<String> {
    try await respond(Request(prompt: prompt, schema: schema, mention: mention, options: options))
  }

  /// Answers `prompt` with a value of `type`, whose schema is worked out from it.
  public func respond<T: Decodable & Sendable>(
    to prompt: String, generating type: T.Type, mention: SchemaMention = .inPrompt,
    options: GenerationOptions? = nil
  ) async throws -> Response<T> {
    let schema = try Schema(of: type)
    let response = try await respond(
      Request(prompt: prompt, schema: schema, mention: mention, options: options))
    return Response(
      content: try Self.value(type, response.text), text: response.text, entries: response.entries,
      summary: response.summary)
  }

  /// Answers `prompt` with text, as it comes.
  ///
  /// The answer begins at once, whether or not somebody reads it.
  public func streamResponse(
    to prompt: String, options: GenerationOptions? = nil, toolChoice: ToolChoice = .auto
  ) -> ResponseStream<String, String> {
    ResponseStream(
      steps: steps(Request(prompt: prompt, options: options, toolChoice: toolChoice)),
      partial: { $0 }, content: { $0 })
  }

  /// Answers `prompt` with a value of `type`, as it comes: the snapshots hold the value as soon as all
  /// that it needs is there, with strings and arrays that still grow.
  public func streamResponse<T: Decodable & Sendable>(
    to prompt: String, generating type: T.Type, mention: SchemaMention = .inPrompt,
    options: GenerationOptions? = nil
  ) throws -> ResponseStream<T, T?> {
    try streamResponse(
      to: prompt, generating: type, partially: type, mention: mention, options: options)
  }

  /// The same of a ``Generable`` type, with snapshots of its ``Generable/PartiallyGenerated``: what there is
  /// from the first member on.
  public func streamResponse<T: Generable>(
    to prompt: String, generating type: T.Type, mention: SchemaMention = .inPrompt,
    options: GenerationOptions? = nil
  ) throws -> ResponseStream<T, T.PartiallyGenerated?> {
    try streamResponse(
      to: prompt, generating: type, partially: T.PartiallyGenerated.self, mention: mention,
      options: options)
  }

  /// The same with snapshots of a type of their own, `partial`: one whose members are all optional has
  /// them from the first on.
  public func streamResponse<T: Decodable & Sendable, P: Decodable & Sendable>(
    to prompt: String, generating type: T.Type, partially partial: P.Type,
    mention: SchemaMention = .inPrompt, options: GenerationOptions? = nil
  ) throws -> ResponseStream<T, P?> {
    let request = Request(
      prompt: prompt, schema: try Schema(of: type), mention: mention, options: options)
    return ResponseStream(
      steps: steps(request),
      partial: { text in
        PartialJSON.completed(text).flatMap {
          try? Schema.decode(Growing<P>.self, from: $0).value
        }
      }, content: { try Self.value(type, $0) })
  }

  private static func value<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
    do {
      return try Schema.decode(type, from: text)
    } catch {
      throw SessionError(
        .incompleteAnswer,
        "The answer is no '\(type)': \(text). Allow more tokens, or change the type."
      )
    }
  }

  private func respond(_ request: Request) async throws -> Response<String> {
    try await answer(request) { _, _ in }
  }

  private func steps(
    _ request: Request
  ) -> AsyncThrowingStream<ResponseStep, any Error> {
    AsyncThrowingStream { stream in
      let task = Task {
        do {
          let response = try await answer(request) { text, delta in
            stream.yield(.text(text, delta: delta))
          }
          stream.yield(.done(response))
          stream.finish()
        } catch { stream.finish(throwing: error) }
      }
      stream.onTermination = { _ in task.cancel() }
    }
  }
}
