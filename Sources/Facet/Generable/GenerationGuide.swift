// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// What values of a member must be like, beyond their type; the model cannot write others.
public struct GenerationGuide<Value>: Sendable {
  let constraint: GuideConstraint
}

extension GenerationGuide where Value: FixedWidthInteger {
  /// This or more.
  public static func minimum(_ value: Value) -> GenerationGuide<Value> {
    GenerationGuide(constraint: .keywords(["minimum": .integer(Int(clamping: value))]))
  }

  /// This or less.
  public static func maximum(_ value: Value) -> GenerationGuide<Value> {
    GenerationGuide(constraint: .keywords(["maximum": .integer(Int(clamping: value))]))
  }

  /// One of these, the ends included.
  public static func range(_ range: ClosedRange<Value>) -> GenerationGuide<Value> {
    GenerationGuide(
      constraint: .keywords([
        "minimum": .integer(Int(clamping: range.lowerBound)),
        "maximum": .integer(Int(clamping: range.upperBound)),
      ]))
  }
}

extension GenerationGuide where Value: BinaryFloatingPoint {
  /// This or more.
  public static func minimum(_ value: Value) -> GenerationGuide<Value> {
    GenerationGuide(constraint: .keywords(["minimum": .number(Double(value))]))
  }

  /// This or less.
  public static func maximum(_ value: Value) -> GenerationGuide<Value> {
    GenerationGuide(constraint: .keywords(["maximum": .number(Double(value))]))
  }

  /// Between these, the ends included.
  public static func range(_ range: ClosedRange<Value>) -> GenerationGuide<Value> {
    GenerationGuide(
      constraint: .keywords([
        "minimum": .number(Double(range.lowerBound)),
        "maximum": .number(Double(range.upperBound)),
      ]))
  }
}

extension GenerationGuide where Value == String {
  /// One of these texts.
  public static func anyOf(_ texts: [String]) -> GenerationGuide<String> {
    GenerationGuide(constraint: .choices(texts.map(JSON.string)))
  }

  /// This text.
  public static func constant(_ text: String) -> GenerationGuide<String> { anyOf([text]) }

  /// A text that matches a regular expression (ECMA-262) as a whole.
  public static func pattern(_ pattern: String) -> GenerationGuide<String> {
    GenerationGuide(constraint: .keywords(["pattern": .string("^(?:" + pattern + ")$")]))
  }

  /// So many characters (code points), the ends included.
  public static func length(_ range: ClosedRange<Int>) -> GenerationGuide<String> {
    GenerationGuide(
      constraint: .keywords([
        "minLength": .integer(range.lowerBound), "maxLength": .integer(range.upperBound),
      ]))
  }

  /// At most so many characters (code points).
  public static func maximumLength(_ count: Int) -> GenerationGuide<String> {
    GenerationGuide(constraint: .keywords(["maxLength": .integer(count)]))
  }
}

extension GenerationGuide {
  /// Exactly so many elements.
  public static func count<Element>(_ count: Int) -> GenerationGuide<[Element]>
  where Value == [Element] {
    GenerationGuide(constraint: .items(atLeast: count, atMost: count))
  }

  /// So many elements, the ends included.
  public static func count<Element>(_ range: ClosedRange<Int>) -> GenerationGuide<[Element]>
  where Value == [Element] {
    GenerationGuide(constraint: .items(atLeast: range.lowerBound, atMost: range.upperBound))
  }

  /// So many elements or more.
  public static func minimumCount<Element>(_ count: Int) -> GenerationGuide<[Element]>
  where Value == [Element] {
    GenerationGuide(constraint: .items(atLeast: count))
  }

  /// At most so many elements.
  public static func maximumCount<Element>(_ count: Int) -> GenerationGuide<[Element]>
  where Value == [Element] {
    GenerationGuide(constraint: .items(atMost: count))
  }

  /// Elements that are all like this.
  public static func element<Element>(
    _ guide: GenerationGuide<Element>
  ) -> GenerationGuide<[Element]> where Value == [Element] {
    GenerationGuide<[Element]>(constraint: .element(guide.constraint))
  }
}

/// What `@Guide` sees: where it stands nothing says yet what the elements are. Its expansion names the
/// member's own type, and finds those above.
extension GenerationGuide where Value == [Never] {
  /// Exactly so many elements.
  public static func count(_ count: Int) -> GenerationGuide<Value> {
    GenerationGuide(constraint: .items(atLeast: count, atMost: count))
  }

  /// So many elements, the ends included.
  public static func count(_ range: ClosedRange<Int>) -> GenerationGuide<Value> {
    GenerationGuide(constraint: .items(atLeast: range.lowerBound, atMost: range.upperBound))
  }

  /// So many elements or more.
  public static func minimumCount(_ count: Int) -> GenerationGuide<Value> {
    GenerationGuide(constraint: .items(atLeast: count))
  }

  /// At most so many elements.
  public static func maximumCount(_ count: Int) -> GenerationGuide<Value> {
    GenerationGuide(constraint: .items(atMost: count))
  }
}

/// A guide in the words of JSON Schema.
indirect enum GuideConstraint: Sendable {
  case keywords([String: JSON])
  case choices([JSON])
  /// Of the elements of an array.
  case element(GuideConstraint)

  /// How many elements an array has.
  static func items(atLeast least: Int? = nil, atMost most: Int? = nil) -> GuideConstraint {
    let bounds = ["minItems": least, "maxItems": most]
    return .keywords(bounds.compactMapValues { $0.map { .integer($0) } })
  }

  /// `schema` with what the guide asks for as well.
  func applied(to schema: JSON) -> JSON {
    switch self {
    case .choices(let values): return schema.adding("enum", .array(values)).removing("type")
    case .keywords(let keywords):
      return keywords.sorted { $0.key < $1.key }.reduce(schema) { $0.adding($1.key, $1.value) }
    case .element(let constraint):
      guard let items = schema["items"] else { return schema }
      return schema.adding("items", constraint.applied(to: items))
    }
  }
}

extension JSON {
  /// The object with a member more, or with another value of it.
  ///
  /// A reference and what is said beside it hold both, so nothing need be put around one.
  func adding(_ key: String, _ value: JSON) -> JSON {
    var object = JSONObject()
    var isNew = true
    for member in self.object?.members ?? [] {
      if member.key == key { isNew = false }
      _ = object.append(member.key, member.key == key ? value : member.value)
    }
    if isNew { _ = object.append(key, value) }
    return .object(object)
  }

  /// The object without a member.
  func removing(_ key: String) -> JSON {
    var object = JSONObject()
    for member in self.object?.members ?? [] where member.key != key {
      _ = object.append(member.key, member.value)
    }
    return .object(object)
  }
}
