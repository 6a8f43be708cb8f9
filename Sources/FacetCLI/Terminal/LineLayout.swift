// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Where the characters of a prompt and a line come to stand on a terminal that wraps.
package struct LineLayout: Equatable {
  /// A place, counted from where the prompt begins.
  package struct Place: Equatable {
    package var row = 0
    package var column = 0
  }

  /// Where the cursor is.
  package private(set) var cursor = Place()
  /// Where the text ends.
  package private(set) var end = Place()

  /// Lays out `prompt` and `buffer` in rows of `columns`.
  package init(prompt: String, _ buffer: LineBuffer, columns: Int) {
    var place = Place()
    for character in prompt { Self.advance(&place, character, columns) }
    cursor = place
    for (index, character) in buffer.characters.enumerated() {
      if index == buffer.cursor { cursor = place }
      Self.advance(&place, character, columns)
    }
    if buffer.cursor == buffer.characters.count { cursor = place }
    end = place
  }

  private static func advance(_ place: inout Place, _ character: Character, _ columns: Int) {
    if character.isNewline {
      place = Place(row: place.row + 1, column: 0)
      return
    }
    let width = DisplayWidth.columns(character)
    // A wide character does not stand half on a row.
    if place.column + width > columns { place = Place(row: place.row + 1, column: 0) }
    place.column += width
    if place.column >= columns { place = Place(row: place.row + 1, column: 0) }
  }
}
