// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer

/// A part of an answer that may call tools.
public enum AnswerPart: Sendable, Hashable {
  /// Text around calls.
  case text(String)
  /// A call has begun: its place among the answer's calls, its id, its tool's name.
  case callBegan(index: Int, id: String, name: String)
  /// More of a call's arguments, as JSON text.
  case arguments(index: Int, String)
  /// A call is complete.
  case call(index: Int, ToolCall)
  /// A call that had begun was cut off, or is none after all: what there is of it.
  case abandoned(index: Int, text: String)
}

/// Tells calls of tools from text while an answer comes, along the grammar that it was made with: what
/// the grammar does not allow is text, never a call.
///
/// Text is given out as soon as it cannot be the beginning of a call.
public struct ToolCallParser: Sendable {
  /// Where the answer stands.
  private enum Place: Sendable {
    /// In text, of which the end may be the beginning of a call.
    case text
    /// Before the arguments of a call.
    case head
    /// In the arguments.
    case arguments(ArgumentsReader)
    /// Behind a call.
    case tail
    /// In an answer that calls no tools from here on.
    case plain
  }

  private let guide: ToolGuide
  private let marks: [TokenID: GuideMark]
  private let heads: [(name: String, head: [UInt8])]
  private let openers: [[UInt8]]
  private var matcher: GuideMatcher
  private var place = Place.text
  /// Bytes that were not given out: of text, or of the call under way.
  private var held: [UInt8] = []
  /// What stood before them and belongs to the call, should it be one.
  private var opening: [UInt8] = []
  /// Arguments as JSON that were not given out.
  private var given: [UInt8] = []
  private var isAtLineStart = true
  private var call: ToolCall?
  private var count = 0

  /// Follows answers to `guide`, which `compiled` was made of.
  package init(_ guide: ToolGuide, _ compiled: CompiledGuide) {
    self.guide = guide
    marks = compiled.vocabulary.marks
    heads = guide.callable.map { ($0.name, guide.syntax.head($0.name)) }
    let openers = Set(guide.callable.map { guide.syntax.opener($0.name) })
    // Models that put a call into a code block open one before it.
    let fences = guide.syntax == .lines ? ["```json\n", "```\n"] : []
    self.openers = openers.flatMap { opener in
      [opener] + fences.map { Array($0.utf8) + opener }
    }
    matcher = GuideMatcher(compiled)
  }

  /// What is certain once `token` has brought `text`.
  package mutating func append(_ token: TokenID, _ text: String) -> [AnswerPart] {
    // A control token has no text of its own: what comes with it was held back before it.
    append(Array(text.utf8)) + (marks[token].map { append($0.bytes) } ?? [])
  }

  /// What is certain once `text` has come.
  public mutating func append(_ text: String) -> [AnswerPart] { append(Array(text.utf8)) }

  /// What was held back, when nothing follows.
  public mutating func finish() -> [AnswerPart] {
    defer {
      held = []
      place = .plain
    }
    switch place {
    case .text, .plain: return held.isEmpty ? [] : [.text(Self.string(held))]
    case .tail: return []
    case .head, .arguments: return [abandoned()]
    }
  }

  /// The same of bytes, which need not end with a whole character.
  package mutating func append(_ bytes: [UInt8]) -> [AnswerPart] {
    var parts: [AnswerPart] = []
    for byte in bytes {
      held.append(byte)
      matcher.accept(CollectionOfOne(byte))
      if !matcher.isAlive { leave(&parts) } else { follow(byte, &parts) }
    }
    flush(&parts)
    return parts
  }

  /// Goes on as text from here: the grammar allows no such call.
  private mutating func leave(_ parts: inout [AnswerPart]) {
    switch place {
    case .text, .plain, .tail: break
    case .head: held = opening + held
    case .arguments:
      parts.append(abandoned())
      held = []
      call = nil
      count += 1
    }
    place = .plain
  }

  private mutating func follow(_ byte: UInt8, _ parts: inout [AnswerPart]) {
    switch place {
    case .plain: break
    case .text: lookForCall(&parts)
    case .head: beginArguments(&parts)
    case .arguments: readArgument(byte, &parts)
    case .tail:
      // The grammar allows a brace here only where the next call begins.
      if byte == 0x7B || isOpened {
        place = .head
        opening = byte == 0x7B ? Array(held.dropLast()) : held
        held = byte == 0x7B ? [byte] : []
      } else if held == guide.syntax.closer {
        held = []
      }
    }
  }

  /// Whether what is held back ends with the control token that opens a call.
  private var isOpened: Bool { guide.syntax.marks.map { held.ends(with: $0.start.bytes) } ?? false }

  /// Opens a call when the text ends with what opens one.
  private mutating func lookForCall(_ parts: inout [AnswerPart]) {
    let found = openers.filter { held.ends(with: $0) && begins(at: held.count - $0.count) }
    guard let opener = found.max(by: { $0.count < $1.count }) else { return }
    let text = held.dropLast(opener.count)
    let trimmed = text.dropLast(text.reversed().prefix(while: Self.isSpace).count)
    if !trimmed.isEmpty { parts.append(.text(Self.string(Array(trimmed)))) }
    // Of a line, the opening is the beginning of the head.
    let head = opener[(opener.firstIndex(of: 0x7B) ?? opener.endIndex)...]
    opening = Array(held[trimmed.endIndex...].dropLast(head.count))
    held = Array(head)
    place = .head
  }

  /// Whether a call may begin at a place of the text held back.
  private func begins(at index: Int) -> Bool {
    guard guide.syntax.beginsLines else { return true }
    let before = held[..<index].reversed().drop { $0 == 0x20 }
    return before.first.map { $0 == 0x0A } ?? isAtLineStart
  }

  private mutating func beginArguments(_ parts: inout [AnswerPart]) {
    guard let (name, brace) = begun() else { return }
    let call = ToolCall(name: name, arguments: "")
    self.call = call
    parts.append(.callBegan(index: count, id: call.id, name: name))
    (opening, held) = ([], [])
    place = .arguments(ArgumentsReader(guide.syntax.form))
    if let brace { readArgument(brace, &parts) }
  }

  /// The tool whose call has its head, and what of its arguments came with it: without quotation marks
  /// around it, a name is known by the brace behind it.
  private func begun() -> (name: String, brace: UInt8?)? {
    if guide.syntax.form == .json {
      return heads.first { held.ends(with: $0.head) }.map { ($0.name, nil) }
    }
    guard held.last == 0x7B else { return nil }
    return heads.first { held.dropLast().elementsEqual($0.head) }.map { ($0.name, 0x7B) }
  }

  private mutating func readArgument(_ byte: UInt8, _ parts: inout [AnswerPart]) {
    guard case .arguments(var reader) = place else { return }
    let (json, isDone) = reader.read(byte)
    place = .arguments(reader)
    given += json
    held = []
    if isDone { endArguments(&parts) }
  }

  private mutating func endArguments(_ parts: inout [AnswerPart]) {
    giveArguments(&parts)
    guard let call else { return }
    parts.append(.call(index: count, call))
    self.call = nil
    count += 1
    place = .tail
  }

  private mutating func giveArguments(_ parts: inout [AnswerPart]) {
    guard !given.isEmpty else { return }
    let text = Self.string(given)
    call?.arguments += text
    parts.append(.arguments(index: count, text))
    given = []
  }

  /// Gives out what is certain of the bytes held back.
  private mutating func flush(_ parts: inout [AnswerPart]) {
    switch place {
    case .plain:
      if !held.isEmpty { parts.append(.text(Self.string(held))) }
      held = []
    case .text:
      let certain = held.count - uncertainCount()
      guard certain > 0 else { return }
      let text = held[..<certain]
      parts.append(.text(Self.string(Array(text))))
      isAtLineStart = text.reversed().drop { $0 == 0x20 }.first.map { $0 == 0x0A } ?? isAtLineStart
      held.removeFirst(certain)
    case .arguments: giveArguments(&parts)
    case .head, .tail: break
    }
  }

  /// Bytes at the end that may belong to a call, with the white space before them.
  private func uncertainCount() -> Int {
    let longest = openers.map(\.count).max() ?? 0
    var start = held.count
    for index in max(0, held.count - longest)..<held.count where begins(at: index) {
      let end = held[index...]
      if openers.contains(where: { $0.starts(with: end) }) {
        start = index
        break
      }
    }
    return held.count - start + held[..<start].reversed().prefix(while: Self.isSpace).count
  }

  private func abandoned() -> AnswerPart {
    guard let call else { return .text(Self.string(opening + held)) }
    let text = guide.syntax.text(call).dropLast() + Self.string(given + held)
    return .abandoned(index: count, text: String(text))
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  /// The text of `bytes`; control tokens have none.
  private static func string(_ bytes: [UInt8]) -> String {
    guard bytes.contains(GuideMark.lead) else { return String(decoding: bytes, as: UTF8.self) }
    var text: [UInt8] = []
    var isMark = false
    for byte in bytes {
      if !isMark, byte != GuideMark.lead { text.append(byte) }
      isMark = byte == GuideMark.lead
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension Array where Element == UInt8 {
  fileprivate func ends(with end: [UInt8]) -> Bool {
    count >= end.count && self[(count - end.count)...].elementsEqual(end)
  }
}
