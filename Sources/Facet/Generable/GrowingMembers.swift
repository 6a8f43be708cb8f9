// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The members of an object that is still on its way: what `PartiallyGenerated` types read themselves from.
///
/// A member that is not there yet, or not whole enough to be what it will be – half the name of a case,
/// half a date – is nil.
public struct GrowingMembers {
  private let container: KeyedDecodingContainer<Key>

  /// The members of the object that `decoder` is at.
  public init(_ decoder: any Decoder) throws {
    container = try decoder.container(keyedBy: Key.self)
  }

  /// The member called `name`, as far as it is there.
  public func value<T: Decodable>(_ name: String) -> T? {
    try? container.decode(Growing<T>.self, forKey: Key(stringValue: name)).value
  }
}

private struct Key: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// A value that is still on its way: of arrays and dictionaries what can be read of them.
struct Growing<Value: Decodable>: Decodable {
  let value: Value?

  init(from decoder: any Decoder) throws {
    if let collection = Value.self as? any GrowingCollection.Type {
      value = collection.grown(from: decoder) as? Value
    } else {
      value = try? decoder.singleValueContainer().decode(Value.self)
    }
  }
}

private protocol GrowingCollection {
  static func grown(from decoder: any Decoder) -> Any?
}

extension Array: GrowingCollection where Element: Decodable {
  fileprivate static func grown(from decoder: any Decoder) -> Any? {
    guard var list = try? decoder.unkeyedContainer() else { return nil }
    var elements: [Element] = []
    while !list.isAtEnd, let element = try? list.decode(Growing<Element>.self).value {
      elements.append(element)
    }
    return elements
  }
}

extension Dictionary: GrowingCollection where Key == String, Value: Decodable {
  fileprivate static func grown(from decoder: any Decoder) -> Any? {
    guard let members = try? GrowingMembers(decoder) else { return nil }
    var values: [String: Value] = [:]
    for name in members.names { values[name] = members.value(name) }
    return values
  }
}

extension GrowingMembers {
  fileprivate var names: [String] { container.allKeys.map(\.stringValue) }
}
