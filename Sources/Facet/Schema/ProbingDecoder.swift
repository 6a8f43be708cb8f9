// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// A source to decode from that holds nothing: it notes what is asked for and answers with samples.
final class ProbingDecoder: Decoder {
  let codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any] = [:]
  private let probe: SchemaProbe
  private let type: Any.Type
  private var keyed: ProbedKeys?
  private var single: JSON?

  init(_ probe: SchemaProbe, _ type: Any.Type, codingPath: [any CodingKey] = []) {
    self.probe = probe
    self.type = type
    self.codingPath = codingPath
  }

  /// The schema of what was asked for.
  func found() throws -> JSON {
    if let keyed { return keyed.schema }
    if let single { return single }
    // A type that asks for nothing is an object without members.
    return ProbedKeys(probe, type).schema
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    // Asked twice, by a class and its superclass say, the keys come together.
    let keys = keyed ?? ProbedKeys(probe, self.type)
    keyed = keys
    return KeyedDecodingContainer(ProbingKeyedContainer(keys: keys, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw SchemaProbe.refusal(type, "reads an array element by element, whose schema is not known")
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    ProbingValueContainer(codingPath: codingPath) { [self] wanted in
      let (schema, value) = try probe.schema(of: wanted)
      single = schema
      return value
    }
  }
}

/// The properties that a type asked for.
final class ProbedKeys {
  private let probe: SchemaProbe
  private let type: Any.Type
  private var properties: [(key: String, schema: JSON)] = []
  private var required: [String] = []

  init(_ probe: SchemaProbe, _ type: Any.Type) {
    self.probe = probe
    self.type = type
  }

  var schema: JSON {
    var members = JSONObject()
    for (key, schema) in properties { _ = members.append(key, schema) }
    return SchemaProbe.object([
      "type": .string("object"), "properties": .object(members),
      "required": .array(required.map(JSON.string)), "additionalProperties": .bool(false),
    ])
  }

  /// Notes a property and gives a sample of it.
  func value<T: Decodable>(_ wanted: T.Type, _ key: String, isRequired: Bool) throws -> T? {
    let (schema, value) = try probe.schema(of: wanted)
    if !properties.contains(where: { $0.key == key }) {
      properties.append((key, schema))
      if isRequired { required.append(key) }
    }
    return value as? T
  }

  /// The same of a property that must be there.
  func required<T: Decodable>(_ wanted: T.Type, _ key: String) throws -> T {
    guard let value = try value(wanted, key, isRequired: true) else {
      throw SchemaProbe.refusal(
        type,
        wanted is any Generable.Type
          ? "holds '\(wanted)' in '\(key)', of which no sample can be made; let it be Generable too"
          : "holds a value of its own type in '\(key)' that must be there, so it has no end")
    }
    return value
  }

  func refuse(_ what: String) -> SessionError { SchemaProbe.refusal(type, what) }
}

private struct ProbingKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let keys: ProbedKeys
  let codingPath: [any CodingKey]
  var allKeys: [Key] { [] }

  func contains(_ key: Key) -> Bool { true }
  func decodeNil(forKey key: Key) throws -> Bool { false }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try keys.required(type, key.stringValue)
  }

  func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
    try optional(type, key)
  }

  private func optional<T: Decodable>(_ type: T.Type, _ key: Key) throws -> T? {
    try keys.value(type, key.stringValue, isRequired: false)
  }

  // The protocol's own versions of these would ask for the value as if it had to be there.
  func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try optional(type, key) }
  func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? {
    try optional(type, key)
  }
  func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? {
    try optional(type, key)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    throw keys.refuse("reads '\(key.stringValue)' by keys of its own, which are not known")
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    throw keys.refuse("reads '\(key.stringValue)' element by element, whose schema is not known")
  }

  func superDecoder() throws -> any Decoder { throw keys.refuse("has a superclass beside it") }
  func superDecoder(forKey key: Key) throws -> any Decoder {
    throw keys.refuse("has a superclass beside it")
  }
}

private struct ProbingValueContainer: SingleValueDecodingContainer {
  let codingPath: [any CodingKey]
  let sample: (any Decodable.Type) throws -> Any?

  init(codingPath: [any CodingKey], sample: @escaping (any Decodable.Type) throws -> Any?) {
    self.codingPath = codingPath
    self.sample = sample
  }

  func decodeNil() -> Bool { false }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    guard let value = try sample(type) as? T else {
      throw SchemaProbe.refusal(type, "holds a value of its own type, so it has no end")
    }
    return value
  }
}
