// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// The members of a JSON object of a request, read with their types checked.
///
/// An absent member and null are the same. A value of the wrong type is refused by name; a member that
/// is not known is passed over, as all of these APIs do.
struct Fields: Sendable {
  /// The members.
  let object: JSONObject
  /// Where the object stands in the request, `messages[0]`; empty at the top.
  let place: String
  /// Whether `topP` may be spelt `top_p`, as the JSON of protocol buffers allows.
  var readsSnakeCase = false

  init(_ object: JSONObject, at place: String = "", readsSnakeCase: Bool = false) {
    self.object = object
    self.place = place
    self.readsSnakeCase = readsSnakeCase
  }

  /// The object that `value` is.
  init(_ value: JSON, at place: String, readsSnakeCase: Bool = false) throws(ServerError) {
    guard let object = value.object else { throw Self.wrong(place, "an object") }
    self.init(object, at: place, readsSnakeCase: readsSnakeCase)
  }

  /// The value under `key`.
  subscript(key: String) -> JSON? {
    let value = object[key] ?? (readsSnakeCase ? object[Self.snakeCase(key)] : nil)
    return value == .null ? nil : value
  }

  func string(_ key: String) throws(ServerError) -> String? {
    guard let value = self[key] else { return nil }
    guard let string = value.string else { throw wrong(key, "a string") }
    return string
  }

  /// A text that must be there.
  func text(_ key: String) throws(ServerError) -> String {
    guard let string = try string(key) else { throw missing(key) }
    return string
  }

  func bool(_ key: String) throws(ServerError) -> Bool? {
    guard let value = self[key] else { return nil }
    guard let bool = value.bool else { throw wrong(key, "true or false") }
    return bool
  }

  func integer(_ key: String) throws(ServerError) -> Int? {
    guard let value = self[key] else { return nil }
    guard let integer = value.integer else { throw wrong(key, "a whole number") }
    return integer
  }

  /// A whole number of `range`.
  func integer(_ key: String, in range: ClosedRange<Int>) throws(ServerError) -> Int? {
    guard let integer = try integer(key) else { return nil }
    guard range.contains(integer) else {
      throw ServerError(
        .invalidRequest,
        "'\(path(key))' is \(integer); it must lie between \(range.lowerBound) and "
          + "\(range.upperBound).", parameter: path(key))
    }
    return integer
  }

  func number(_ key: String) throws(ServerError) -> Double? {
    guard let value = self[key] else { return nil }
    guard let number = value.number else { throw wrong(key, "a number") }
    return number
  }

  func float(_ key: String) throws(ServerError) -> Float? { try number(key).map { Float($0) } }

  func array(_ key: String) throws(ServerError) -> [JSON]? {
    guard let value = self[key] else { return nil }
    guard let array = value.array else { throw wrong(key, "an array") }
    return array
  }

  /// A text or several.
  func strings(_ key: String) throws(ServerError) -> [String]? {
    guard let value = self[key] else { return nil }
    if let string = value.string { return [string] }
    let strings = value.array?.compactMap(\.string)
    guard let strings, strings.count == value.array?.count else {
      throw wrong(key, "a string or an array of strings")
    }
    return strings
  }

  /// The object under `key`.
  func fields(_ key: String) throws(ServerError) -> Fields? {
    guard let value = self[key] else { return nil }
    return try Fields(value, at: path(key), readsSnakeCase: readsSnakeCase)
  }

  /// The objects of the array under `key`.
  func list(_ key: String) throws(ServerError) -> [Fields]? {
    guard let values = try array(key) else { return nil }
    var list: [Fields] = []
    for (index, value) in values.enumerated() {
      list.append(
        try Fields(value, at: "\(path(key))[\(index)]", readsSnakeCase: readsSnakeCase))
    }
    return list
  }

  /// The name of a member, with where it stands.
  func path(_ key: String) -> String { place.isEmpty ? key : "\(place).\(key)" }

  func missing(_ key: String) -> ServerError {
    ServerError(.invalidRequest, "'\(path(key))' is missing.", parameter: path(key))
  }

  func wrong(_ key: String, _ kind: String) -> ServerError { Self.wrong(path(key), kind) }

  static func wrong(_ path: String, _ kind: String) -> ServerError {
    ServerError(.invalidRequest, "'\(path)' must be \(kind).", parameter: path)
  }

  private static func snakeCase(_ key: String) -> String {
    key.reduce(into: "") { result, character in
      result += character.isUppercase ? "_" + character.lowercased() : String(character)
    }
  }
}
