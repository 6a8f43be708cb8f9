// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// How the values of a schema are written.
enum ValueForm: Sendable, Hashable {
  /// JSON, in the one form that ``JSONForm`` has.
  case json
  /// As FunctionGemma and Gemma 4 write arguments: `{city:<escape>Rome<escape>,days:[1,2]}`, names without
  /// quotation marks, texts between control tokens and without escapes.
  case marked(GuideMark)

  static let functionGemma = ValueForm.marked(.escape)
  static let gemma4 = ValueForm.marked(.gemma4Quote)

  /// What stands before and after a text.
  var quote: [UInt8] { if case .marked(let mark) = self { mark.bytes } else { [0x22] } }
  /// Between members and elements.
  var comma: [UInt8] { Array((self == .json ? ", " : ",").utf8) }
  /// Between a name and its value.
  var colon: [UInt8] { Array((self == .json ? ": " : ":").utf8) }

  /// One scalar of `set` inside a text.
  func scalar(of set: ScalarSet) -> GrammarExpression {
    self == .json ? JSONForm.scalar(of: set) : .scalars(set)
  }

  /// Any scalar inside a text.
  var anyScalar: GrammarExpression { self == .json ? JSONForm.anyScalar : .scalars(.all) }

  /// What stands before and after a name.
  var nameQuote: [UInt8] { self == .json ? [0x22] : [] }

  /// Scalars that names which the schema does not list may have.
  var nameScalars: ScalarSet {
    self == .json ? .all : ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  }

  /// A name.
  func name(_ name: String) -> [UInt8] { self == .json ? JSONForm.quote(name) : Array(name.utf8) }

  /// Whether `name` can be written so that it is read again.
  func canWrite(_ name: String) -> Bool {
    self == .json
      || !name.isEmpty && name.unicodeScalars.allSatisfy { nameScalars.contains($0.value) }
  }

  /// The text of `value`.
  func text(_ value: JSON) -> [UInt8] {
    guard self != .json else { return JSONForm.text(value) }
    switch value {
    case .string(let text): return quote + Array(text.utf8) + quote
    case .array(let values):
      return [0x5B] + Array(values.map(text).joined(separator: comma)) + [0x5D]
    case .object(let object):
      let members = object.members.map { name($0.key) + colon + text($0.value) }
      return [0x7B] + Array(members.joined(separator: comma)) + [0x7D]
    default: return JSONForm.text(value)
    }
  }
}

/// Turns arguments into JSON as they come, and finds their end.
struct ArgumentsReader: Sendable {
  private enum Container: Sendable { case array, object }

  private let form: ValueForm
  private var stack: [Container] = []
  private var isInString = false
  /// In JSON after a backslash, in FunctionGemma after the first byte of a control token.
  private var isInside = false
  private var expectsName = false
  private var name: [UInt8]?

  init(_ form: ValueForm) { self.form = form }

  /// Reads a byte; gives what it adds to the JSON text, and whether the object ends with it.
  mutating func read(_ byte: UInt8) -> (json: [UInt8], isDone: Bool) {
    form == .json ? readJSON(byte) : readTokens(byte)
  }

  private mutating func readJSON(_ byte: UInt8) -> (json: [UInt8], isDone: Bool) {
    if isInString {
      if isInside {
        isInside = false
      } else if byte == 0x5C {
        isInside = true
      } else if byte == 0x22 {
        isInString = false
      }
      return ([byte], false)
    }
    switch byte {
    case 0x22: isInString = true
    case 0x7B, 0x5B: stack.append(.object)
    case 0x7D, 0x5D: _ = stack.popLast()
    default: break
    }
    return ([byte], stack.isEmpty)
  }

  private mutating func readTokens(_ byte: UInt8) -> (json: [UInt8], isDone: Bool) {
    if isInside {
      isInside = false
      isInString.toggle()
      return ([0x22], false)
    }
    if byte == GuideMark.lead {
      isInside = true
      return ([], false)
    }
    if isInString {
      return (byte < 0x80 ? JSONForm.escape(Unicode.Scalar(byte)) ?? [byte] : [byte], false)
    }
    if let begun = name {
      name = byte == 0x3A ? nil : begun + [byte]
      let text = String(decoding: begun, as: UTF8.self)
      return byte == 0x3A ? (JSONForm.quote(text) + [0x3A, 0x20], false) : ([], false)
    }
    switch byte {
    case 0x7B, 0x5B: stack.append(byte == 0x7B ? .object : .array)
    case 0x7D, 0x5D:
      _ = stack.popLast()
      return ([byte], stack.isEmpty)
    case 0x2C: break
    default:
      guard expectsName else { return ([byte], false) }
      expectsName = false
      name = [byte]
      return ([], false)
    }
    expectsName = stack.last == .object
    return (byte == 0x2C ? [0x2C, 0x20] : [byte], false)
  }
}
