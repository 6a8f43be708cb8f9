// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A setting: its name, what else it is called, how it is read and written.
public struct SettingKey: Sendable {
  /// The name, as TRL or PEFT has it where they do.
  public let name: String
  /// What mlx_lm, axolotl and others call it.
  public let aliases: [String]
  /// What it is, in a few words.
  public let summary: String
  /// The value in a configuration.
  let read: @Sendable (TrainingConfiguration) -> SettingValue
  /// Puts a value into a configuration; false when it is of the wrong kind or out of range.
  let write: @Sendable (inout TrainingConfiguration, SettingValue) -> Bool
  /// What a value must be: completes "it must …".
  let requirement: String

  /// The value of this setting in `configuration`.
  public func value(in configuration: TrainingConfiguration) -> SettingValue { read(configuration) }
}

typealias SettingPath<Value> = WritableKeyPath<TrainingConfiguration, Value> & Sendable

extension SettingKey {
  static func integer(
    _ name: String, _ path: any SettingPath<Int>, _ range: ClosedRange<Int>, _ summary: String,
    aliases: [String] = []
  ) -> SettingKey {
    SettingKey(
      name: name, aliases: aliases, summary: summary,
      read: { .integer($0[keyPath: path]) },
      write: { configuration, value in
        guard let number = value.integer, range.contains(number) else { return false }
        configuration[keyPath: path] = number
        return true
      },
      requirement: requirement("be a whole number", range))
  }

  /// `none`: a number that means none, such as TRL's −1.
  static func optionalInteger(
    _ name: String, _ path: any SettingPath<Int?>, _ range: ClosedRange<Int>, _ summary: String,
    aliases: [String] = [], none: Int? = nil
  ) -> SettingKey {
    SettingKey(
      name: name, aliases: aliases, summary: summary,
      read: { $0[keyPath: path].map { .integer($0) } ?? .null },
      write: { configuration, value in
        if value == .null || none != nil && value.integer == none {
          configuration[keyPath: path] = nil
          return true
        }
        guard let number = value.integer, range.contains(number) else { return false }
        configuration[keyPath: path] = number
        return true
      },
      requirement: requirement("be a whole number", range) + ", or null")
  }

  static func number(
    _ name: String, _ path: any SettingPath<Double>, _ range: ClosedRange<Double>,
    _ summary: String,
    aliases: [String] = []
  ) -> SettingKey {
    SettingKey(
      name: name, aliases: aliases, summary: summary,
      read: { .number($0[keyPath: path]) },
      write: { configuration, value in
        guard let number = value.number, range.contains(number) else { return false }
        configuration[keyPath: path] = number
        return true
      },
      requirement: requirement("be a number", range))
  }

  static func optionalNumber(
    _ name: String, _ path: any SettingPath<Double?>, _ range: ClosedRange<Double>,
    _ summary: String,
    aliases: [String] = []
  ) -> SettingKey {
    SettingKey(
      name: name, aliases: aliases, summary: summary,
      read: { $0[keyPath: path].map { .number($0) } ?? .null },
      write: { configuration, value in
        if value == .null {
          configuration[keyPath: path] = nil
          return true
        }
        guard let number = value.number, range.contains(number) else { return false }
        configuration[keyPath: path] = number
        return true
      },
      requirement: requirement("be a number", range) + ", or null")
  }

  static func flag(
    _ name: String, _ path: any SettingPath<Bool>, _ summary: String, aliases: [String] = []
  ) -> SettingKey {
    SettingKey(
      name: name, aliases: aliases, summary: summary,
      read: { .bool($0[keyPath: path]) },
      write: { configuration, value in
        guard let flag = value.bool else { return false }
        configuration[keyPath: path] = flag
        return true
      },
      requirement: "be true or false")
  }

  /// `also`: other spellings of the choices.
  static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ path: any SettingPath<Choice>, _ summary: String, aliases: [String] = [],
    also: [String: Choice] = [:]
  ) -> SettingKey {
    SettingKey(
      name: name, aliases: aliases, summary: summary,
      read: { .text($0[keyPath: path].rawValue) },
      write: { configuration, value in
        guard let text = value.text, let choice = Choice(rawValue: text) ?? also[text] else {
          return false
        }
        configuration[keyPath: path] = choice
        return true
      },
      requirement: "be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
  }

  static func text(
    _ name: String, _ path: any SettingPath<String>, _ summary: String, aliases: [String] = []
  ) -> SettingKey {
    SettingKey(
      name: name, aliases: aliases, summary: summary,
      read: { .text($0[keyPath: path]) },
      write: { configuration, value in
        guard let text = value.text, !text.isEmpty else { return false }
        configuration[keyPath: path] = text
        return true
      },
      requirement: "be text")
  }

  static func texts(
    _ name: String, _ path: any SettingPath<[String]>, _ summary: String, aliases: [String] = []
  ) -> SettingKey {
    SettingKey(
      name: name, aliases: aliases, summary: summary,
      read: { .list($0[keyPath: path].map { .text($0) }) },
      write: { configuration, value in
        let texts = value.list.compactMap(\.text)
        guard texts.count == value.list.count else { return false }
        configuration[keyPath: path] = texts
        return true
      },
      requirement: "be text or a list of texts")
  }

  static func requirement(_ kind: String, _ range: ClosedRange<Int>) -> String {
    range.upperBound == .max
      ? "\(kind) of at least \(range.lowerBound)"
      : "\(kind) between \(range.lowerBound) and \(range.upperBound)"
  }

  static func requirement(_ kind: String, _ range: ClosedRange<Double>) -> String {
    let low = SettingValue.text(range.lowerBound)
    return range.upperBound == .infinity
      ? "\(kind) of at least \(low)"
      : "\(kind) between \(low) and \(SettingValue.text(range.upperBound))"
  }
}
