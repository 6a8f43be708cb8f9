// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The beginning of a JSON text, made whole: what is certain of it.
package enum PartialJSON {
  /// `text` with its strings, arrays and objects closed and without what is not certain yet: a key that
  /// has no value, half an escape, a number or a word that may go on; nil while there is no value.
  package static func completed(_ text: String) -> String? {
    var scan = Scan()
    let bytes = Array(text.utf8)
    for (index, byte) in bytes.enumerated() { scan.read(byte, at: index) }
    guard let end = scan.certain(bytes.count) else { return nil }
    return String(decoding: bytes[..<end], as: UTF8.self) + scan.closing
  }

  private struct Scan {
    private enum Container { case array, object }

    private var stack: [Container] = []
    private var isInString = false
    /// Bytes of an escape that are still to come, the backslash included: `\u` takes four digits.
    private var escapeLeft = 0
    private var escapeStart = 0
    /// Whether the string under way is a key.
    private var isKey = false
    private var isInWord = false
    /// Up to here everything is certain, and with what stack.
    private var safe: (end: Int, depth: [Container])?
    private var expectsKey = false

    mutating func read(_ byte: UInt8, at index: Int) {
      if isInString { return readString(byte, at: index) }
      switch byte {
      case 0x22:
        isInString = true
        isKey = expectsKey
      case 0x7B, 0x5B:
        stack.append(byte == 0x7B ? .object : .array)
        expectsKey = byte == 0x7B
        safe = (index + 1, stack)
      case 0x7D, 0x5D:
        _ = stack.popLast()
        isInWord = false
        expectsKey = false
        safe = (index + 1, stack)
      case 0x2C:
        if isInWord { safe = (index, stack) }
        isInWord = false
        expectsKey = stack.last == .object
      case 0x3A: expectsKey = false
      case 0x20, 0x0A, 0x0D, 0x09:
        if isInWord { safe = (index, stack) }
        isInWord = false
      default: isInWord = true
      }
    }

    private mutating func readString(_ byte: UInt8, at index: Int) {
      if escapeLeft > 0 {
        escapeLeft = escapeLeft == 5 && byte == 0x75 ? 4 : escapeLeft == 5 ? 0 : escapeLeft - 1
      } else if byte == 0x5C {
        escapeLeft = 5
        escapeStart = index
      } else if byte == 0x22 {
        isInString = false
        if !isKey { safe = (index + 1, stack) }
      }
    }

    /// How much of the text is certain.
    func certain(_ count: Int) -> Int? {
      if isInString, !isKey { return escapeLeft > 0 ? escapeStart : count }
      return safe?.end
    }

    /// What closes the certain part.
    var closing: String {
      let open = isInString && !isKey
      let depth = open ? stack : safe?.depth ?? []
      return (open ? "\"" : "") + depth.reversed().map { $0 == .object ? "}" : "]" }.joined()
    }
  }
}
