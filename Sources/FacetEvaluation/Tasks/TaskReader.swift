// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// Reads the members of a task's file, and knows which were never asked for.
struct TaskReader {
  let json: JSON
  let place: String
  private var known: Set<String> = []

  init(_ json: JSON, place: String) throws(EvaluationError) {
    guard json.object != nil else {
      throw EvaluationError(.invalidTask, "\(place): a task is an object of JSON.")
    }
    self.json = json
    self.place = place
  }

  /// The member under `key`; nil when there is none.
  mutating func value(_ key: String) -> JSON? {
    known.insert(key)
    return json[key]
  }

  /// The text under `key`.
  mutating func text(_ key: String) throws(EvaluationError) -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.string else { throw wrong(key, "a text") }
    return text
  }

  /// The text under `key`, which must be there.
  mutating func needed(_ key: String) throws(EvaluationError) -> String {
    guard let text = try text(key) else {
      throw EvaluationError(.invalidTask, "\(place): '\(key)' is missing.")
    }
    return text
  }

  /// The template under `key`.
  mutating func template(_ key: String) throws(EvaluationError) -> Template? {
    if let number = json[key]?.integer {
      known.insert(key)
      return try Template("\(number)")
    }
    return try text(key).map { (text) throws(EvaluationError) in try Template(text) }
  }

  /// The texts under `key`.
  mutating func texts(_ key: String) throws(EvaluationError) -> [String] {
    guard let value = value(key) else { return [] }
    guard let elements = value.array else { throw wrong(key, "a list of texts") }
    let texts = elements.compactMap(\.string)
    guard texts.count == elements.count else { throw wrong(key, "a list of texts") }
    return texts
  }

  /// The whole number under `key`.
  mutating func count(_ key: String) throws(EvaluationError) -> Int? {
    guard let value = value(key) else { return nil }
    guard let count = value.integer, count >= 0 else { throw wrong(key, "a whole number") }
    return count
  }

  /// The truth under `key`, false where there is none.
  mutating func flag(_ key: String) throws(EvaluationError) -> Bool {
    guard let value = value(key) else { return false }
    guard let truth = value.bool else { throw wrong(key, "true or false") }
    return truth
  }

  /// The choice under `key`.
  mutating func choice<Choice: RawRepresentable<String>>(
    _ key: String, _ type: Choice.Type
  ) throws(EvaluationError) -> Choice? {
    guard let text = try text(key) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw EvaluationError(
        .invalidTask, "\(place): '\(key)' is '\(text)', which docs/evaluation.md does not list.")
    }
    return choice
  }

  /// Refuses members that nobody asked for.
  func finish() throws(EvaluationError) {
    for member in json.object?.members ?? [] where !known.contains(member.key) {
      throw EvaluationError(.invalidTask, "\(place): '\(member.key)' is not known here.")
    }
  }

  private func wrong(_ key: String, _ what: String) -> EvaluationError {
    EvaluationError(.invalidTask, "\(place): '\(key)' must be \(what).")
  }
}
