// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A line that is being typed: characters as people see them, and a cursor between two of them.
package struct LineBuffer: Equatable {
  package private(set) var characters: [Character] = []
  /// Characters before the cursor.
  package private(set) var cursor = 0

  package init(_ text: String = "") {
    characters = Array(text)
    cursor = characters.count
  }

  package var text: String { String(characters) }
  package var isEmpty: Bool { characters.isEmpty }

  /// Inserts `text` at the cursor; an accent joins the letter before it.
  mutating func insert(_ text: String) {
    let before = Array(String(characters[..<cursor]) + text)
    characters = before + characters[cursor...]
    cursor = before.count
  }

  mutating func moveLeft() { cursor = max(0, cursor - 1) }
  mutating func moveRight() { cursor = min(characters.count, cursor + 1) }
  mutating func moveToStart() { cursor = 0 }
  mutating func moveToEnd() { cursor = characters.count }
  mutating func moveWordLeft() { cursor = wordStart }
  mutating func moveWordRight() { cursor = wordEnd }

  /// Removes the character before the cursor.
  mutating func deleteBackward() {
    guard cursor > 0 else { return }
    cursor -= 1
    characters.remove(at: cursor)
  }

  /// Removes the character after the cursor.
  mutating func deleteForward() {
    guard cursor < characters.count else { return }
    characters.remove(at: cursor)
  }

  /// Removes what stands before the cursor.
  mutating func deleteToStart() {
    characters.removeFirst(cursor)
    cursor = 0
  }

  /// Removes what stands after the cursor.
  mutating func deleteToEnd() { characters.removeLast(characters.count - cursor) }

  /// Removes the word before the cursor, and the spaces after it.
  mutating func deleteWordBackward() {
    let start = wordStart
    characters.removeSubrange(start..<cursor)
    cursor = start
  }

  private var wordStart: Int {
    var index = cursor
    while index > 0, characters[index - 1].isWhitespace { index -= 1 }
    while index > 0, !characters[index - 1].isWhitespace { index -= 1 }
    return index
  }

  private var wordEnd: Int {
    var index = cursor
    while index < characters.count, characters[index].isWhitespace { index += 1 }
    while index < characters.count, !characters[index].isWhitespace { index += 1 }
    return index
  }
}
