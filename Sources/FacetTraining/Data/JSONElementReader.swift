// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The elements of a JSON array, one at a time, as text that is still to be parsed.
struct JSONElementReader {
  private let stream: DataStream
  private let path: String
  private var buffer: [UInt8] = []
  private var position = 0
  private var isStarted = false
  private var isFinished = false
  /// The number of the element that came last, from 1.
  private(set) var number = 0

  /// Goes on in `stream` after `beginning`, which was read from it before.
  init(_ stream: DataStream, path: String, beginning: [UInt8]) {
    self.stream = stream
    self.path = path
    buffer = beginning
  }

  /// The next element's text; nil after the last.
  mutating func next() throws(TrainingError) -> [UInt8]? {
    if !isStarted {
      isStarted = true
      try skipSpace()
      guard try byte() == UInt8(ascii: "[") else { throw broken("it does not begin with '['") }
      try skipSpace()
      if try peek() == UInt8(ascii: "]") {
        position += 1
        try finish()
      }
    }
    if isFinished { return nil }
    let element = try self.element()
    number += 1
    return element
  }

  /// Reads up to the comma or the bracket that ends an element.
  private mutating func element() throws(TrainingError) -> [UInt8] {
    var text: [UInt8] = []
    var depth = 0
    var isString = false
    var isEscaped = false
    while let byte = try byte() {
      if isString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isString = false
        }
      } else {
        switch byte {
        case UInt8(ascii: "\""): isString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: ",") where depth == 0: return text
        case UInt8(ascii: "]") where depth == 0:
          try finish()
          return text
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        if depth < 0 { throw broken("a bracket closes what was not opened") }
      }
      text.append(byte)
      guard text.count <= LineReader.lineByteLimit else { throw broken("a row does not end") }
    }
    throw broken("it ends inside row \(number + 1)")
  }

  private mutating func finish() throws(TrainingError) {
    isFinished = true
    try skipSpace()
    guard try peek() == nil else { throw broken("more text follows the array") }
  }

  private mutating func skipSpace() throws(TrainingError) {
    while let byte = try peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func byte() throws(TrainingError) -> UInt8? {
    guard let byte = try peek() else { return nil }
    position += 1
    return byte
  }

  private mutating func peek() throws(TrainingError) -> UInt8? {
    while position == buffer.count {
      guard let piece = try stream.next() else { return nil }
      buffer = piece
      position = 0
    }
    return buffer[position]
  }

  private func broken(_ what: String) -> TrainingError {
    TrainingError(
      .invalidData,
      "'\(path)' is no JSON array of rows: \(what). Mend it, or write one row a line (JSONL).")
  }
}
