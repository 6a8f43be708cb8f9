// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet

/// What `/set` changes.
struct ChatSettings: Sendable, Equatable {
  var options: GenerationOptions
  /// Instructions for the model.
  var system: String?
}

extension ChatSettings {
  /// One setting: its name, how it reads, how a text becomes its value.
  struct Entry: Sendable {
    let name: String
    let text: @Sendable (ChatSettings) -> String
    /// False when the text is no such value.
    let set: @Sendable (inout ChatSettings, String) -> Bool
    let copy: @Sendable (ChatSettings, inout ChatSettings) -> Void
  }

  /// All settings, in the order in which they are shown.
  static var entries: [Entry] {
    [
      number("temperature", \.options.sampling.temperature),
      number("top-k", \.options.sampling.topK),
      number("top-p", \.options.sampling.topP),
      number("min-p", \.options.sampling.minP),
      number("typical-p", \.options.sampling.typicalP),
      number("repetition-penalty", \.options.sampling.repetitionPenalty),
      number("presence-penalty", \.options.sampling.presencePenalty),
      number("frequency-penalty", \.options.sampling.frequencyPenalty),
      number("penalty-window", \.options.sampling.penaltyWindow),
      logitBias,
      optional("seed", \.options.sampling.seed),
      optional("max-tokens", \.options.maxTokens),
      stop,
      system,
    ]
  }

  /// Sets `name` to `text`; `default` is what `defaults` has, `none` is no value.
  mutating func set(_ name: String, _ text: String, defaults: ChatSettings) throws {
    let name = name.lowercased().split(separator: "_").joined(separator: "-")
    guard let entry = Self.entries.first(where: { $0.name == name }) else {
      throw Failure("There is no setting '\(name)'; /set alone lists them.")
    }
    var changed = self
    if text == "default" {
      entry.copy(defaults, &changed)
    } else if !entry.set(&changed, text) {
      throw Failure("'\(text)' is not a value of \(name).")
    }
    try changed.options.validate()
    self = changed
  }

  /// The settings, one a line.
  var lines: [String] {
    Self.entries.map { entry in
      "  " + entry.name + String(repeating: " ", count: max(1, 20 - entry.name.count))
        + entry.text(self)
    }
  }

  private static func number<Value: LosslessStringConvertible & Sendable>(
    _ name: String, _ path: any WritableKeyPath<ChatSettings, Value> & Sendable
  ) -> Entry {
    Entry(name: name) {
      "\($0[keyPath: path])"
    } set: { settings, text in
      guard let value = Value(text) else { return false }
      settings[keyPath: path] = value
      return true
    } copy: {
      $1[keyPath: path] = $0[keyPath: path]
    }
  }

  private static func optional<Value: LosslessStringConvertible & Sendable>(
    _ name: String, _ path: any WritableKeyPath<ChatSettings, Value?> & Sendable
  ) -> Entry {
    Entry(name: name) {
      $0[keyPath: path].map { "\($0)" } ?? "none"
    } set: { settings, text in
      let value = Value(text)
      guard value != nil || text == "none" else { return false }
      settings[keyPath: path] = value
      return true
    } copy: {
      $1[keyPath: path] = $0[keyPath: path]
    }
  }

  /// `ID=B`, added to those there are; `none` removes all.
  private static var logitBias: Entry {
    Entry(name: "logit-bias") { settings in
      let biases = settings.options.sampling.logitBias.sorted { $0.key < $1.key }
      return biases.isEmpty ? "none" : biases.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    } set: { settings, text in
      if text == "none" {
        settings.options.sampling.logitBias = [:]
        return true
      }
      guard let bias = LogitBias(argument: text) else { return false }
      settings.options.sampling.logitBias[bias.token] = bias.bias
      return true
    } copy: {
      $1.options.sampling.logitBias = $0.options.sampling.logitBias
    }
  }

  /// A text, added to those there are; `none` removes all.
  private static var stop: Entry {
    Entry(name: "stop") { settings in
      let stops = settings.options.stop.map { "\"\($0)\"" }
      return stops.isEmpty ? "none" : stops.joined(separator: " ")
    } set: { settings, text in
      if text == "none" { settings.options.stop = [] } else { settings.options.stop.append(text) }
      return true
    } copy: {
      $1.options.stop = $0.options.stop
    }
  }

  private static var system: Entry {
    Entry(name: "system") {
      $0.system ?? "none"
    } set: { settings, text in
      settings.system = text == "none" ? nil : text
      return true
    } copy: {
      $1.system = $0.system
    }
  }
}
