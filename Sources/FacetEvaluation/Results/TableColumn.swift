// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import Foundation

/// A column of a markdown table as pytablewriter 1.2.1 writes it for lm-eval.
///
/// It guesses what a column holds. Whole numbers lose their fraction, other numbers get as many
/// places as the longest of them needs, and one word makes the whole column text, in which each
/// number is written by its own kind. Numbers stand to the right.
package struct TableColumn: Sendable {
  /// What a cell was given as.
  package enum Cell: Sendable, Hashable {
    case text(String)
    case number(Double)
  }

  /// What a cell holds.
  private enum Kind: Sendable, Hashable {
    case empty, whole, real, notANumber, infinite, text
  }

  private let header: String
  private let cells: [String]
  private let kinds: [Kind]
  private let places: Int
  /// What the column as a whole holds.
  private let kind: Kind

  /// A column of these cells.
  package init(header: String, cells: [Cell]) {
    self.header = header
    self.cells = cells.map { cell in
      switch cell {
      case .text(let text): text
      case .number(let value): PythonOutput.repr(value)
      }
    }
    kinds = Self.kinds(cells, self.cells)
    places = zip(self.cells, kinds).map { $1 == .real ? Self.places($0) : 0 }.max() ?? 0
    kind = Self.kind(of: Set(kinds))
  }

  /// The kinds one after the other: below more text than anything else, text with digits is text.
  private static func kinds(_ cells: [Cell], _ texts: [String]) -> [Kind] {
    var counts: [(kind: Kind, count: Int)] = []
    return zip(cells, texts).map { cell, text in
      var kind = kind(text)
      let most = counts.map(\.count).max()
      if case .text = cell, counts.first(where: { $0.count == most })?.kind == .text {
        kind = .text
      }
      if let index = counts.firstIndex(where: { $0.kind == kind }) {
        counts[index].count += 1
      } else {
        counts.append((kind, 1))
      }
      return kind
    }
  }

  private static func kind(of kinds: Set<Kind>) -> Kind {
    if kinds.contains(.text) { return .text }
    if kinds.contains(.real) { return .real }
    let numbers = kinds.subtracting([.empty])
    if numbers.count > 1
      || (kinds.contains(.empty) && !numbers.isDisjoint(with: [.notANumber, .infinite]))
    {
      return .real
    }
    return numbers.first ?? .empty
  }

  private static func kind(_ cell: String) -> Kind {
    if cell.allSatisfy(\.isWhitespace) { return .empty }
    let isNumber = cell.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D }
    if isNumber, let value = Double(cell) { return value == value.rounded() ? .whole : .real }
    switch cell.lowercased() {
    case "nan": return .notANumber
    case "inf", "-inf", "infinity", "-infinity": return .infinite
    default: return .text
    }
  }

  /// The places behind the point that the number needs.
  private static func places(_ cell: String) -> Int {
    guard let point = cell.firstIndex(of: ".") else { return 0 }
    var digits = cell[cell.index(after: point)...]
    while digits.last == "0" { digits.removeLast() }
    return digits.count
  }

  private func shown(_ index: Int) -> String {
    let cell = cells[index]
    switch (kind, kinds[index]) {
    case (.text, .whole), (.whole, .whole):
      return String(cell.prefix { $0 != "." })
    case (.text, .real), (.real, .real), (.real, .whole):
      return Double(cell).map { String(format: "%.\(places)f", $0) } ?? cell
    case (_, .notANumber): return "NaN"
    case (_, .infinite): return cell.hasPrefix("-") ? "-Infinity" : "Infinity"
    case (_, .empty): return kind == .text ? cell : ""
    default: return cell
    }
  }

  private var isRight: Bool { kind == .whole || kind == .real }

  /// The header, the line below it, and the cells, all of one width.
  package var lines: [String] {
    let body = cells.indices.map { shown($0).replacing("|", with: "\\|") }
    let widths = cells.indices.map { Self.width(shown($0)) }
    let width = max(3, Self.width(header), widths.max() ?? 0)
    func padded(_ text: String, _ textWidth: Int, right: Bool) -> String {
      let space = String(repeating: " ", count: max(0, width - textWidth))
      return right ? space + text : text + space
    }
    let line = String(repeating: "-", count: width - 1) + (isRight ? ":" : "-")
    return [Self.centred(header, width), line]
      + body.indices.map { index in
        // In a column of text a number still stands to the right.
        let isNumber = kinds[index] == .whole || kinds[index] == .real
        return padded(body[index], widths[index], right: isRight || isNumber)
      }
  }

  /// Headers stand in the middle.
  private static func centred(_ text: String, _ width: Int) -> String {
    let space = max(0, width - Self.width(text))
    return String(repeating: " ", count: space / 2) + text
      + String(repeating: " ", count: space - space / 2)
  }

  /// Columns on the screen: East Asian characters and emoji take two.
  private static func width(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + (isWide($1) ? 2 : 1) }
  }

  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
      0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }
}
