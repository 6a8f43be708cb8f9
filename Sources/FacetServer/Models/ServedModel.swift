// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetGeneration
import FacetGuides
import FacetJSON
import FacetStore
import FacetTokenizer

/// A model that is loaded and takes requests.
struct ServedModel: Sendable {
  /// The name that it was asked for by, in full.
  let name: String
  /// What it was given when it was made here.
  let settings: ModelSettings?
  /// How long this request waited for it to be loaded; zero when it was there.
  let loadTime: Duration
  /// Keeps it in memory while somebody holds this.
  let lease: ModelLease

  var engine: Engine { lease.engine }
  var language: LanguageModel { engine.model }
  var tokenizer: Tokenizer { engine.model.tokenizer }

  /// The settings of an answer for which nothing is said.
  var defaultOptions: GenerationOptions {
    var options = GenerationOptions(sampling: language.defaultSampling)
    guard let text = settings?.parameters, let value = try? JSON(text: text),
      let object = value.object
    else { return options }
    // They were read once when the model was made; what is no longer understood is passed over.
    try? OllamaOptions.read(object, into: &options)
    return options
  }

  /// A conversation, after what the model was given to open each with.
  func prompt(_ conversation: Conversation) throws -> Prompt {
    guard conversation.tools.isEmpty || language.toolSyntax != nil else {
      throw ServerError(.unsupported, "\"\(name)\" does not support tools", parameter: "tools")
    }
    return try language.prompt(
      opened(conversation), tools: conversation.choice == .none ? [] : conversation.tools)
  }

  private func opened(_ conversation: Conversation) -> [ChatEntry] {
    guard let settings else { return conversation.entries }
    var opening: [ChatEntry] = []
    if let system = settings.system, !conversation.hasInstructions {
      opening.append(.message(ChatMessage(.system, system)))
    }
    let shown = settings.messages.compactMap { message in
      ChatMessage.Role(rawValue: message.role).map {
        ChatEntry.message(ChatMessage($0, message.content))
      }
    }
    let instructions = conversation.entries.prefix { entry in
      if case .message(let message) = entry { message.role == .system } else { false }
    }
    return opening + instructions + shown + conversation.entries.dropFirst(instructions.count)
  }

  /// A text: for a model that converses a question, unless it is raw; for another one to go on with.
  ///
  /// `history` is what an earlier answer ended with.
  func prompt(
    _ text: String, system: String?, after history: [TokenID], isRaw: Bool
  ) throws -> Prompt {
    var prompt: Prompt
    if isRaw || language.chatFormat == nil {
      let system = system ?? settings?.system
      let whole = isRaw ? text : (system.map { $0 + "\n\n" } ?? "") + text
      let parsing: Tokenizer.SpecialTokenParsing = isRaw ? .recognized : .literal
      prompt = Prompt(tokens: tokenizer.encode(whole, parsing: parsing, bos: true))
    } else {
      var conversation = Conversation()
      if let system { conversation.add(.system, system) }
      conversation.add(.user, text)
      prompt = try self.prompt(conversation)
    }
    guard !history.isEmpty else { return prompt }
    if prompt.tokens.first == tokenizer.special.bos, tokenizer.special.addsBOS {
      prompt.tokens.removeFirst()
    }
    prompt.tokens = history + prompt.tokens
    return prompt
  }
}

extension JSON {
  /// The value that `text` writes.
  init(text: String) throws(ServerError) { self = try RequestJSON.read(Array(text.utf8)) }
}
