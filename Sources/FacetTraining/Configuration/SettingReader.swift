// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Yams

/// Reads settings, from files and from `--set`, into a configuration.
///
/// What comes later holds; within one file nothing comes twice.
public struct SettingReader: Sendable {
  /// What was read so far.
  public private(set) var configuration: TrainingConfiguration
  /// What other trainers know and Facet leaves aside, with reasons.
  public private(set) var notes: [String] = []
  /// mlx_lm's scale, which is not over the rank.
  private var scale: Double?

  /// Begins with `configuration`.
  public init(_ configuration: TrainingConfiguration = TrainingConfiguration()) {
    self.configuration = configuration
  }

  /// Reads the text of a file.
  public mutating func read(yaml: String, path: String) throws(TrainingError) {
    let node: Node?
    do { node = try Yams.compose(yaml: yaml) } catch {
      throw TrainingError(.invalidSetting, "'\(path)' is not YAML: \(Self.sentence(of: error))")
    }
    guard let node, !node.isEmptyText else { return }
    guard case .mapping(let mapping) = node else {
      throw TrainingError(
        .invalidSetting, "'\(path)' holds no settings; write one a line, as 'max_steps: 100'.")
    }
    var seen: [String: (name: String, value: SettingValue)] = [:]
    for (name, value) in try Self.flattened(mapping, prefix: "", path: path) {
      let key = SettingKey.named(name)?.name ?? name
      if let other = seen[key], other.value != value {
        throw TrainingError(
          .invalidSetting,
          "'\(path)' gives \(key) twice: '\(other.name)' is \(other.value) and '\(name)' is \(value)."
        )
      }
      seen[key] = (name, value)
      try set(name, value, from: "'\(path)'")
    }
    applyScale()
  }

  /// Reads `key=value` as the command line gives it.
  public mutating func read(assignment: String) throws(TrainingError) {
    guard let equals = assignment.firstIndex(of: "="), equals > assignment.startIndex else {
      throw TrainingError(
        .invalidSetting, "'--set \(assignment)' is not understood; write --set key=value.")
    }
    let name = String(assignment[..<equals])
    let text = String(assignment[assignment.index(after: equals)...])
    let value: SettingValue
    do {
      value = try Yams.compose(yaml: text).map { try SettingValue($0, path: "--set") } ?? .null
    } catch {
      throw TrainingError(
        .invalidSetting, "'--set \(assignment)' is not understood: '\(text)' is no value.")
    }
    try set(name, value, from: "--set")
    applyScale()
  }

  private mutating func set(
    _ name: String, _ value: SettingValue, from origin: String
  ) throws(TrainingError) {
    if name == "lora_parameters.scale" || name == "lora.scale" {
      guard let number = value.number, (1e-6...1e6).contains(number) else {
        throw TrainingError(
          .invalidSetting,
          "\(name) is \(value) in \(origin); it must be a number between 1e-06 and 1000000.")
      }
      scale = number
      return
    }
    guard let key = SettingKey.named(name) else {
      if let reason = SettingKey.without[name] {
        notes.append("\(name) is left aside: \(reason).")
        return
      }
      let guess = SettingKey.nearest(to: name).map { "; did you mean '\($0)'?" } ?? "."
      throw TrainingError(
        .invalidSetting, "There is no setting '\(name)' (in \(origin))\(guess)")
    }
    guard key.write(&configuration, name == "fine_tune_type" ? value.withoutDoRA : value) else {
      throw TrainingError(
        .invalidSetting, "\(name) is \(value) in \(origin); it must \(key.requirement).")
    }
    if name == "fine_tune_type", value == .text("dora") { configuration.usesDoRA = true }
  }

  /// mlx_lm multiplies by a scale; PEFT by alpha over rank.
  private mutating func applyScale() {
    guard let scale else { return }
    let rank = Double(configuration.loraRank)
    configuration.loraAlpha = scale * (configuration.usesRSLoRA ? rank.squareRoot() : rank)
    self.scale = nil
  }

  /// Settings under `lora:` and `lora_parameters:` with their dotted names.
  private static func flattened(
    _ mapping: Node.Mapping, prefix: String, path: String
  ) throws(TrainingError) -> [(String, SettingValue)] {
    var result: [(String, SettingValue)] = []
    for (key, value) in mapping {
      guard let name = key.scalar?.string else {
        throw TrainingError(.invalidSetting, "'\(path)' has a setting whose name is no text.")
      }
      if prefix.isEmpty, name == "lora" || name == "lora_parameters",
        case .mapping(let inner) = value
      {
        result += try flattened(inner, prefix: name + ".", path: path)
      } else {
        result.append((prefix + name, try SettingValue(value, path: path)))
      }
    }
    return result
  }

  private static func sentence(of error: any Error) -> String {
    guard let error = error as? YamlError else { return "it cannot be read." }
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return "\(problem) (line \(mark.line))."
    case .duplicatedKeysInMapping(let duplicates, _):
      return "'\(duplicates.first ?? "")' comes twice."
    default: return "it cannot be read."
    }
  }
}

extension SettingValue {
  /// mlx_lm's kind `dora` is LoRA with a switch.
  fileprivate var withoutDoRA: SettingValue { self == .text("dora") ? .text("lora") : self }

  /// A value of a YAML document; aliases inside it have been resolved.
  fileprivate init(_ node: Node, path: String, depth: Int = 0) throws(TrainingError) {
    guard depth < 8 else {
      throw TrainingError(.invalidSetting, "'\(path)' is nested too deeply.")
    }
    switch node {
    case .scalar(let scalar): self = Self.scalar(scalar)
    case .sequence(let sequence):
      var values: [SettingValue] = []
      for node in sequence { values.append(try SettingValue(node, path: path, depth: depth + 1)) }
      self = .list(values)
    case .mapping(let mapping):
      var values: [String: SettingValue] = [:]
      for (key, value) in mapping {
        values[key.scalar?.string ?? ""] = try SettingValue(value, path: path, depth: depth + 1)
      }
      self = .map(values)
    case .alias:
      throw TrainingError(.invalidSetting, "'\(path)' refers to a part of itself; write it out.")
    }
  }

  private static func scalar(_ scalar: Node.Scalar) -> SettingValue {
    let text = scalar.string
    guard scalar.style == .plain || scalar.style == .any else { return .text(text) }
    switch text {
    case "", "~", "null", "Null", "NULL", "None": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    if let whole = Int(text) { return .integer(whole) }
    // Only what begins like a number: "nan" and "infinity" are words here.
    let first = text.drop { $0 == "-" || $0 == "+" }.first
    if first?.isNumber == true || first == ".", let number = Double(text) { return .number(number) }
    return .text(text)
  }
}

extension Node {
  fileprivate var isEmptyText: Bool { scalar.map { $0.string.isEmpty } ?? false }
}
