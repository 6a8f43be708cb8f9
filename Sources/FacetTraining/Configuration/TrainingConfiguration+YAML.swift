// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor
import Yams

extension TrainingConfiguration {
  /// The configuration as YAML, every choice made: ``SettingReader`` reads it again.
  public var yaml: String {
    var text = ""
    let resolved = resolved()
    for key in SettingKey.all {
      let pair = Node.mapping([Node(key.name): key.read(resolved).node])
      text += (try? Yams.serialize(node: pair)) ?? ""
    }
    return text
  }

  /// Reads the configuration in `yaml`, the text of the file at `path`.
  public init(yaml: String, path: String) throws(TrainingError) {
    var reader = SettingReader()
    try reader.read(yaml: yaml, path: path)
    self = reader.configuration
  }

  /// The settings in which two runs differ that must not, for one to go on where the other stopped.
  ///
  /// How long it goes on, what is kept and how often it is looked at may change; the schedule and all
  /// that follows from the seed may not.
  public func differences(from other: TrainingConfiguration) -> [String] {
    let (mine, others) = (resolved(), other.resolved())
    return SettingKey.all.filter { key in
      !Self.changeable.contains(key.name) && key.read(mine) != key.read(others)
    }.map(\.name)
  }

  private static let changeable: Set<String> = [
    "output_dir", "logging_steps", "eval_strategy", "eval_steps", "per_device_eval_batch_size",
    "save_strategy", "save_steps", "save_total_limit", "load_best_model_at_end",
  ]

  /// A sum over what ``differences(from:)`` looks at.
  public var checksum: String {
    var sum = Checksum()
    let resolved = resolved()
    for key in SettingKey.all where !Self.changeable.contains(key.name) {
      sum.add("\(key.name): \(key.read(resolved))")
    }
    return String(sum.value, radix: 16)
  }
}

extension TrainingConfiguration: Codable {
  /// Decodes an object of settings under their names or aliases.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.singleValueContainer().decode([String: SettingValue].self)
    self.init()
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let key = SettingKey.named(name), key.write(&self, value) else {
        throw DecodingError.dataCorrupted(
          DecodingError.Context(
            codingPath: decoder.codingPath, debugDescription: "No setting \(name) is \(value)."))
      }
    }
  }

  /// Encodes an object of all settings under their names.
  public func encode(to encoder: any Encoder) throws {
    let pairs = SettingKey.all.map { ($0.name, $0.read(self)) }
    var container = encoder.singleValueContainer()
    try container.encode(Dictionary(uniqueKeysWithValues: pairs))
  }
}

extension SettingValue: Codable {
  /// Decodes whatever is there.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([SettingValue].self) {
      self = .list(value)
    } else {
      self = .map(try container.decode([String: SettingValue].self))
    }
  }

  /// Encodes the value as what it is.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .map(let value): try container.encode(value)
    }
  }

  /// The value as a node of a YAML document.
  fileprivate var node: Node {
    switch self {
    case .null: Node("null")
    case .bool(let value): Node("\(value)")
    case .integer(let value): Node("\(value)")
    case .number(let value): Node(Self.text(value))
    case .text(let value): .scalar(Node.Scalar(value, .implicit, quoted(value)))
    case .list(let values): .sequence(Node.Sequence(values.map(\.node), .implicit, .flow))
    case .map(let values):
      .mapping(
        Node.Mapping(
          values.sorted { $0.key < $1.key }.map { (Node($0.key), $0.value.node) }, .implicit, .flow)
      )
    }
  }

  /// Plain where the text is read back as text.
  private func quoted(_ value: String) -> Node.Scalar.Style {
    let isPlain =
      value.first?.isLetter == true
      && value.allSatisfy { $0.isLetter || $0.isNumber || "_-./".contains($0) }
      && !["null", "true", "false", "none", "yes", "no", "on", "off"].contains(value.lowercased())
    return isPlain ? .plain : .singleQuoted
  }
}
