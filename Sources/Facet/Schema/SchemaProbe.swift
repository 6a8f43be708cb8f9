// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import Foundation

/// Finds the schema of a type by decoding it from a source that notes what is asked for.
final class SchemaProbe {
  /// Types that are being asked, outermost first, and the definitions of those that hold themselves.
  private(set) var asked: [ObjectIdentifier] = []
  private var recursive: Set<ObjectIdentifier> = []
  private var definitions: [(name: String, schema: JSON)] = []
  private var names: [ObjectIdentifier: String] = [:]

  /// A probe inside the types that are `asked` already.
  init(asked: [ObjectIdentifier] = []) { self.asked = asked }

  /// The schema of `type` as JSON text.
  static func schema<T: Decodable>(of type: T.Type) throws -> String {
    let probe = SchemaProbe()
    var schema = try probe.schema(of: type).schema
    if !probe.definitions.isEmpty {
      var all = JSONObject()
      for (name, schema) in probe.definitions { _ = all.append(name, schema) }
      var object = JSONObject()
      for member in schema.object?.members ?? [] { _ = object.append(member.key, member.value) }
      _ = object.append("$defs", .object(all))
      schema = .object(object)
    }
    return schema.text
  }

  /// The schema of a type and some value of it; no value where the type is already being asked.
  func schema(of type: any Decodable.Type) throws -> (schema: JSON, value: Any?) {
    if let known = Self.known(type) { return known }
    if let container = type as? any ProbedContainer.Type {
      return (try container.schema(self), container.none)
    }
    let outline = (type as? any Generable.Type)?.generationOutline ?? .decoded
    if case .decoded = outline.form, let cases = try Self.cases(of: type) { return cases }
    let id = ObjectIdentifier(type)
    if asked.contains(id) {
      recursive.insert(id)
      return (Self.object(["$ref": .string("#/$defs/" + name(of: type))]), nil)
    }
    asked.append(id)
    defer { asked.removeLast() }
    let (schema, value) = try schema(of: type, outline)
    guard recursive.contains(id) else { return (schema, value) }
    let name = name(of: type)
    if !definitions.contains(where: { $0.name == name }) { definitions.append((name, schema)) }
    return (Self.object(["$ref": .string("#/$defs/" + name)]), value)
  }

  /// What a type decodes, and the value that it made of samples.
  func decoded(_ type: any Decodable.Type) throws -> (schema: JSON, value: Any?) {
    let decoder = ProbingDecoder(self, type)
    let value: Any
    do {
      value = try type.init(from: decoder)
    } catch let error as SessionError {
      throw error
    } catch {
      throw Self.refusal(
        type,
        type is any RawRepresentable.Type
          ? "does not say what its cases are; let it be CaseIterable"
          : "cannot be decoded from a sample value, so what it takes cannot be found out")
    }
    return (try decoder.found(), value)
  }

  private func name(of type: any Decodable.Type) -> String {
    let id = ObjectIdentifier(type)
    if let known = names[id] { return known }
    let plain = "\(type)".filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    let name = names.values.contains(plain) ? plain + "\(names.count)" : plain
    names[id] = name
    return name
  }

  static func refusal(_ type: Any.Type, _ what: String) -> SessionError {
    SessionError(
      .unsupportedType, "The type '\(type)' \(what). Or give its schema as JSON text.")
  }

  static func object(_ members: KeyValuePairs<String, JSON>) -> JSON {
    var object = JSONObject()
    for (key, value) in members { _ = object.append(key, value) }
    return .object(object)
  }

  static func type(_ name: String) -> JSON { object(["type": .string(name)]) }

  /// The schemas of types that JSON has itself, or that JSONDecoder reads in a way of their own.
  private static func known(_ type: any Decodable.Type) -> (JSON, Any?)? {
    switch type {
    case is String.Type: return (Self.type("string"), "")
    case is Bool.Type: return (Self.type("boolean"), false)
    case is Double.Type: return (Self.type("number"), 0.0)
    case is Float.Type: return (Self.type("number"), Float(0))
    case is Decimal.Type: return (Self.type("number"), Decimal(0))
    case is URL.Type:
      let format = object(["type": .string("string"), "format": .string("uri")])
      return (format, URL(fileURLWithPath: "/"))
    case is UUID.Type:
      return (object(["type": .string("string"), "format": .string("uuid")]), UUID())
    case is Date.Type:
      // What JSONDecoder takes as ISO 8601: no fractions of a second.
      let pattern =
        #"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"#
      return (object(["type": .string("string"), "pattern": .string(pattern)]), Date())
    default: return whole(type)
    }
  }

  private static func whole(_ type: any Decodable.Type) -> (JSON, Any?)? {
    func schema<T: FixedWidthInteger>(_: T.Type) -> (JSON, Any?) {
      // Wider bounds than 15 digits say nothing that a guide could write.
      guard T.bitWidth <= 32 else {
        return (
          T.isSigned
            ? Self.type("integer")
            : object(["type": .string("integer"), "minimum": .integer(0)]), T.zero
        )
      }
      let bounds = object([
        "type": .string("integer"), "minimum": .integer(Int(T.min)),
        "maximum": .integer(Int(T.max)),
      ])
      return (bounds, T.zero)
    }
    guard let type = type as? any FixedWidthInteger.Type else { return nil }
    return schema(type)
  }

  /// The schema of an enumeration that can name its cases.
  private static func cases(of type: any Decodable.Type) throws -> (JSON, Any?)? {
    guard let iterable = type as? any CaseIterable.Type else {
      return nil
    }
    func values<E: CaseIterable>(_: E.Type) -> [Any] { Array(E.allCases) }
    let all = values(iterable)
    var raw: [JSON] = []
    for value in all {
      guard let representable = value as? any RawRepresentable else { return nil }
      if let text = representable.rawValue as? String {
        raw.append(.string(text))
      } else if let number = representable.rawValue as? any BinaryInteger {
        raw.append(.integer(Int(clamping: number)))
      } else {
        return nil
      }
    }
    guard let first = all.first else { throw refusal(type, "has no cases") }
    return (object(["enum": .array(raw)]), first)
  }
}

/// A type whose parts are known without a value.
private protocol ProbedContainer {
  static func schema(_ probe: SchemaProbe) throws -> JSON
  static var none: Any { get }
}

extension Array: ProbedContainer where Element: Decodable {
  fileprivate static func schema(_ probe: SchemaProbe) throws -> JSON {
    let items = try probe.schema(of: Element.self).schema
    return SchemaProbe.object(["type": .string("array"), "items": items])
  }
  fileprivate static var none: Any { [Element]() }
}

extension Optional: ProbedContainer where Wrapped: Decodable {
  fileprivate static func schema(_ probe: SchemaProbe) throws -> JSON {
    let wrapped = try probe.schema(of: Wrapped.self).schema
    return SchemaProbe.object(["anyOf": .array([wrapped, SchemaProbe.type("null")])])
  }
  fileprivate static var none: Any { Wrapped?(nilLiteral: ()) as Any }
}

extension Dictionary: ProbedContainer where Key == String, Value: Decodable {
  fileprivate static func schema(_ probe: SchemaProbe) throws -> JSON {
    let values = try probe.schema(of: Value.self).schema
    return SchemaProbe.object(["type": .string("object"), "additionalProperties": values])
  }
  fileprivate static var none: Any { [String: Value]() }
}
