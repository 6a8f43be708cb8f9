// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// The kinds of JSON values, as JSON Schema tells them apart.
struct SchemaTypes: OptionSet, Sendable, Hashable {
  let rawValue: UInt8
  static let null = SchemaTypes(rawValue: 1)
  static let boolean = SchemaTypes(rawValue: 2)
  static let integer = SchemaTypes(rawValue: 4)
  /// Numbers with a fraction.
  static let fraction = SchemaTypes(rawValue: 8)
  static let string = SchemaTypes(rawValue: 16)
  static let array = SchemaTypes(rawValue: 32)
  static let object = SchemaTypes(rawValue: 64)
  static let number: SchemaTypes = [.integer, .fraction]
  static let all = SchemaTypes(rawValue: 127)

  /// The type called `name`.
  init?(name: String) {
    switch name {
    case "null": self = .null
    case "boolean": self = .boolean
    case "integer": self = .integer
    case "number": self = .number
    case "string": self = .string
    case "array": self = .array
    case "object": self = .object
    default: return nil
    }
  }

  /// The type of `value`.
  init(of value: JSON) {
    switch value {
    case .null: self = .null
    case .bool: self = .boolean
    case .integer: self = .integer
    case .number: self = value.integer == nil ? .fraction : .integer
    case .string: self = .string
    case .array: self = .array
    case .object: self = .object
    }
  }

  init(rawValue: UInt8) { self.rawValue = rawValue }
}

/// A schema and where it stands; the place tells it from others.
struct SchemaReference: Sendable, Hashable {
  var schema: JSON
  var pointer: String

  static func == (left: Self, right: Self) -> Bool { left.pointer == right.pointer }

  func hash(into hasher: inout Hasher) { hasher.combine(pointer) }
}

/// What one reading of a schema asks of a value; a schema has several readings where it has choices.
struct SchemaShape: Sendable {
  /// A bound of a number.
  struct Bound: Sendable, Hashable {
    var value: JSON
    var isIncluded: Bool
    var pointer: String

    var number: Double { value.number ?? 0 }
  }

  /// What stands under a key.
  struct Property: Sendable {
    var key: String
    /// All of these must hold; none: anything goes.
    var schemas: [SchemaReference]
  }

  var types = SchemaTypes.all
  var values: [JSON]?
  var minLength = 0
  var maxLength: Int?
  var patterns: [RegularExpression] = []
  var patternNames: [String] = []
  var low: Bound?
  var high: Bound?
  var multiples: [Int] = []
  var properties: [Property] = []
  var required: [String] = []
  /// What other keys hold; nil: nothing was said.
  var additional: [SchemaReference]?
  var minProperties = 0
  var maxProperties: Int?
  var prefix: [[SchemaReference]] = []
  /// What elements after the prefix hold; nil: nothing was said.
  var items: [SchemaReference]?
  var minItems = 0
  var maxItems: Int?
  /// Where the shape was first described.
  var pointer = ""

  /// Whether `key` may not be there.
  func forbids(_ key: String) -> Bool {
    !properties.contains { $0.key == key }
      && additional?.contains { $0.schema == .bool(false) } == true
  }

  /// What a value under `key` must be.
  func schemas(under key: String) -> [SchemaReference] {
    properties.first { $0.key == key }?.schemas ?? additional ?? []
  }
}

// MARK: - Both at once

extension SchemaShape {
  /// What both ask for; nil when no value can be both.
  func merged(with other: SchemaShape) -> SchemaShape? {
    var result = self
    result.types.formIntersection(other.types)
    if let theirs = other.values {
      result.values =
        values?.filter { value in theirs.contains { value.isEqual(to: $0) } } ?? theirs
    }
    result.minLength = max(minLength, other.minLength)
    result.maxLength = Self.least(maxLength, other.maxLength)
    result.patterns += other.patterns.filter { !patterns.contains($0) }
    result.patternNames += other.patternNames
    result.low = [low, other.low].compactMap(\.self).max { left, right in
      left.number != right.number
        ? left.number < right.number : left.isIncluded && !right.isIncluded
    }
    result.high = [high, other.high].compactMap(\.self).min { left, right in
      left.number != right.number
        ? left.number < right.number : !left.isIncluded && right.isIncluded
    }
    result.multiples += other.multiples
    mergeProperties(other, into: &result)
    mergeItems(other, into: &result)
    return result.types.isEmpty || result.values?.isEmpty == true ? nil : result
  }

  private static func least(_ left: Int?, _ right: Int?) -> Int? {
    if let left, let right { min(left, right) } else { left ?? right }
  }

  private func mergeProperties(_ other: SchemaShape, into result: inout SchemaShape) {
    for index in properties.indices {
      result.properties[index].schemas += other.schemas(under: properties[index].key)
    }
    for property in other.properties where !properties.contains(where: { $0.key == property.key }) {
      result.properties.append(
        Property(key: property.key, schemas: property.schemas + (additional ?? [])))
    }
    result.required += other.required.filter { !required.contains($0) }
    if additional != nil || other.additional != nil {
      result.additional = (additional ?? []) + (other.additional ?? [])
    }
    result.minProperties = max(minProperties, other.minProperties)
    result.maxProperties = Self.least(maxProperties, other.maxProperties)
  }

  private func mergeItems(_ other: SchemaShape, into result: inout SchemaShape) {
    func schemas(_ shape: SchemaShape, _ index: Int) -> [SchemaReference] {
      index < shape.prefix.count ? shape.prefix[index] : shape.items ?? []
    }
    result.prefix = (0..<max(prefix.count, other.prefix.count)).map {
      schemas(self, $0) + schemas(other, $0)
    }
    if items != nil || other.items != nil { result.items = (items ?? []) + (other.items ?? []) }
    result.minItems = max(minItems, other.minItems)
    result.maxItems = Self.least(maxItems, other.maxItems)
  }
}

extension JSON {
  /// Whether the two are the same value: numbers by their size, objects in any order.
  func isEqual(to other: JSON) -> Bool {
    switch (self, other) {
    case (.integer(let left), .integer(let right)): return left == right
    case (.integer, .number), (.number, .integer), (.number, .number):
      return number == other.number
    case (.array(let left), .array(let right)):
      return left.count == right.count && zip(left, right).allSatisfy { $0.isEqual(to: $1) }
    case (.object(let left), .object(let right)):
      return left.members.count == right.members.count
        && left.members.allSatisfy { member in
          right[member.key].map { member.value.isEqual(to: $0) } ?? false
        }
    default: return self == other
    }
  }
}
