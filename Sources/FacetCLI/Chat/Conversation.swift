// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet

/// A chat under way: what was said, and the session that has most of it in its cache.
actor Conversation {
  private let model: LanguageModel
  /// Whether the model continues one growing text instead of taking turns.
  nonisolated let continues: Bool
  private var session: Session
  private(set) var messages: [ChatMessage] = []
  private(set) var text = ""

  init(
    _ model: LanguageModel, context: Int?, speculation: Speculation?, raw: Bool
  ) throws {
    self.model = model
    continues = raw || model.chatFormat == nil
    session = try Session(model, context: context, speculation: speculation)
  }

  /// Tokens that the context holds now and at most.
  var usage: (used: Int, limit: Int) { (session.tokens.count, session.contextLength) }

  func clear() {
    messages = []
    text = ""
    session.reset()
  }

  /// Takes up a saved chat.
  func restore(_ record: ChatRecord) {
    messages = record.messages
    text = record.text ?? ""
  }

  func record(model name: String, system: String?) -> ChatRecord {
    ChatRecord(
      model: name, system: system, messages: messages, text: continues ? text : nil)
  }

  /// Answers `input`; the answer is printed as it comes, and kept as far as it came.
  func answer(_ input: String, _ settings: ChatSettings) throws -> GenerationSummary {
    let asked = messages + [ChatMessage(.user, input)]
    let grown = text + (text.isEmpty || text.hasSuffix("\n") || input.isEmpty ? "" : "\n") + input
    let prompt =
      continues
      ? model.prompt(grown)
      : try model.prompt((settings.system.map { [ChatMessage(.system, $0)] } ?? []) + asked)
    var output = AnswerText(.standard)
    let summary = try session.generate(prompt, options: settings.options) { try output.show($0) }
    if continues {
      text = grown + output.text
    } else if summary.generatedTokens > 0 {
      messages = asked + [ChatMessage(.assistant, output.text)]
    }
    return summary
  }
}
