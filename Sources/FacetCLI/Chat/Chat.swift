// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet

/// The chat of `facet run` on a terminal: reads lines, answers, obeys commands.
struct Chat: ~Copyable {
  private let model: LanguageModel
  private let name: String
  private let conversation: Conversation
  private let defaults: ChatSettings
  private var settings: ChatSettings
  private var editor = LineEditor()
  private let output = OutputFile.standard

  init(
    _ conversation: Conversation, with model: LanguageModel, name: String, settings: ChatSettings
  ) {
    self.model = model
    self.name = name
    self.settings = settings
    defaults = settings
    self.conversation = conversation
  }

  /// Goes on until the person leaves.
  consuming func run() async throws {
    try say(greeting)
    var wasInterrupted = false
    while true {
      let input = try read()
      switch input {
      case .end: return
      case .interrupted(let hadText):
        if wasInterrupted, !hadText { throw CancellationError() }
        if !hadText { try say("(Ctrl-C once more, Ctrl-D or /bye leaves.)") }
        wasInterrupted = !hadText
        continue
      case .line(let line):
        wasInterrupted = false
        if line.hasPrefix("/"), let command = ChatCommand(line) {
          if command == .bye { return }
          try await obey(command)
        } else if line.hasPrefix("/"), !line.contains("\n") {
          let word = line.split(separator: " ").first ?? "/"
          try say("There is no command \(word); /help lists them.")
        } else if !line.allSatisfy(\.isWhitespace) || conversation.continues {
          try await answer(line)
        }
      }
    }
  }

  private var greeting: String {
    let what =
      conversation.continues
      ? "\(name) continues text: what you type becomes part of one growing text, and an empty line "
        + "goes on with it."
      : "\(name) is listening."
    return what + "\n/help lists commands, /bye leaves, Ctrl-C stops an answer."
  }

  /// A line, or what stands between two `\"\"\"`.
  private mutating func read() throws -> LineEditor.Input {
    let first = try editor.line(">>> ")
    guard case .line(let line) = first, line.hasPrefix(Self.quotes) else { return first }
    var text = String(line.dropFirst(3))
    while !text.hasSuffix(Self.quotes) {
      let next = try editor.line("... ")
      guard case .line(let line) = next else { return next }
      text += "\n" + line
    }
    text.removeLast(3)
    return .line(text.hasPrefix("\n") ? String(text.dropFirst()) : text)
  }

  private static let quotes = "\"\"\""

  private func answer(_ text: String) async throws {
    let conversation = conversation
    let settings = settings
    if text.isEmpty, await conversation.text.isEmpty { return }
    do {
      let summary = try await Interrupts.cancelling {
        try await conversation.answer(text, settings)
      }
      switch summary.reason {
      case .contextFull: try say("(The context is full; /clear makes room.)")
      case .cancelled: try say("(Stopped.)")
      case .maxTokens, .endOfTurn, .guideComplete, .stopText: break
      }
    } catch let error as GenerationError {
      try say(error.message)
    } catch let error as TokenizerError {
      try say(error.message)
    }
  }

  private mutating func obey(_ command: ChatCommand) async throws {
    do {
      switch command {
      case .help: try say(ChatCommand.overview)
      case .clear:
        await conversation.clear()
        try say("Forgotten; a new chat begins.")
      case .set(let name, let value): try set(name, value)
      case .show: try await show()
      case .save(let path):
        try await conversation.record(model: name, system: settings.system).write(to: path)
        try say("Saved to '\(path)'.")
      case .load(let path): try await load(path)
      case .incomplete(let usage): try say("Write \(usage)")
      case .bye: break
      }
    } catch let error as Failure {
      try say(error.description)
    } catch let error as GenerationError {
      try say(error.message)
    }
  }

  private mutating func set(_ name: String?, _ value: String?) throws {
    guard let name else {
      return try say(settings.lines.joined(separator: "\n") + "\n\(ChatCommand.setUsage)")
    }
    if name.lowercased() == "system", conversation.continues {
      throw Failure("\(self.name) continues text and takes no system text.")
    }
    guard let value else { throw Failure("Write \(ChatCommand.setUsage)") }
    try settings.set(name, value, defaults: defaults)
  }

  private func show() async throws {
    let usage = await conversation.usage
    try say(
      """
        model               \(model.card.name) (\(name))
        chat format         \(conversation.continues ? "none" : model.chatFormat?.rawValue ?? "none")
        context             \(usage.used) of \(usage.limit) tokens
      """ + "\n" + settings.lines.joined(separator: "\n"))
  }

  private mutating func load(_ path: String) async throws {
    let record = try ChatRecord.read(path)
    await conversation.restore(record)
    if !conversation.continues { settings.system = record.system }
    if conversation.continues {
      try say("Loaded a text of \((record.text ?? "").count) characters.")
    } else {
      try say("Loaded \(record.messages.count) messages.")
    }
  }

  private func say(_ text: String) throws {
    try output.write(WordWrap.wrap(text, columns: Terminal.size().columns) + "\n")
  }
}
