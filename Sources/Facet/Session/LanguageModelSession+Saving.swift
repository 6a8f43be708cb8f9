// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGuides
public import Foundation

extension LanguageModelSession {
  private static let transcriptName = "transcript.json"
  private static let cacheName = "cache"

  /// Writes the conversation, and its cache, into the folder at `url`, which is made where it is
  /// missing; a session on an engine has no cache of its own.
  public func save(to url: URL) async throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(transcript)
    try await source.save(to: url.appendingPathComponent(Self.cacheName).path)
    try data.write(to: url.appendingPathComponent(Self.transcriptName), options: .atomic)
  }

  /// The conversation that ``save(to:)`` wrote, with `tools` as they are now.
  ///
  /// Its cache is taken up where it was made by the same model and of the same form, so that what was
  /// said need not be read again; otherwise it is read with the next question.
  public static func restore(
    from url: URL, model: Model, tools: [any Tool] = [], context: Int? = nil,
    approval: (@Sendable (ToolCall) async throws -> ToolDecision)? = nil
  ) async throws -> LanguageModelSession {
    let file = url.appendingPathComponent(transcriptName)
    let transcript: Transcript
    do {
      transcript = try JSONDecoder().decode(Transcript.self, from: Data(contentsOf: file))
    } catch {
      throw SessionError(
        .unreadable,
        "The saved session '\(file.path)' cannot be read. Check its name, or begin a new session.")
    }
    let session = LanguageModelSession(
      model: model, tools: tools, transcript: transcript, context: context, approval: approval)
    // A cache of another model is no harm: the conversation is read anew.
    try? await session.source.restore(from: url.appendingPathComponent(cacheName).path)
    return session
  }
}
