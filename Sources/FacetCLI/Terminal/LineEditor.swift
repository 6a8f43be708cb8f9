// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Reads lines from a person: with editing and history on a terminal, plainly elsewhere.
package struct LineEditor: ~Copyable {
  /// What came of it.
  enum Input: Equatable {
    case line(String)
    /// Ctrl-C; whether anything had been typed.
    case interrupted(hadText: Bool)
    case end
  }

  private var terminal: Terminal?
  private let output = OutputFile.standard
  private var history: [String] = []
  /// The row of the cursor when the line was last drawn.
  private var drawnRow = 0

  init() { terminal = Terminal() }

  /// Reads a line after `prompt`.
  mutating func line(_ prompt: String) throws -> Input {
    guard var terminal = terminal.take() else { return try plainLine(prompt) }
    // Pasted newlines are to be told from Enter.
    terminal.enterRawMode()
    try output.write("\u{1b}[?2004h")
    let result = Result { try edit(&terminal, prompt) }
    terminal.leaveRawMode()
    self.terminal = consume terminal
    try output.write("\u{1b}[?2004l\n")
    return try result.get()
  }

  private func plainLine(_ prompt: String) throws -> Input {
    try output.write(prompt)
    return readLine().map { .line($0) } ?? .end
  }

  private mutating func edit(_ terminal: inout Terminal, _ prompt: String) throws -> Input {
    var buffer = LineBuffer()
    var browsing = history + [""]
    var entry = history.count
    drawnRow = 0
    try draw(prompt, buffer)
    while let key = terminal.key() {
      switch key {
      case .enter:
        buffer.moveToEnd()
        try draw(prompt, buffer)
        if !buffer.isEmpty, history.last != buffer.text { history.append(buffer.text) }
        return .line(buffer.text)
      case .control("c"):
        buffer.moveToEnd()
        try draw(prompt, buffer)
        try output.write("^C")
        return .interrupted(hadText: !buffer.isEmpty)
      case .control("d") where buffer.isEmpty: return .end
      case .control("l"):
        drawnRow = 0
        try output.write("\u{1b}[H\u{1b}[2J")
      case .control("z"):
        terminal.suspend()
        drawnRow = 0
        try output.write("\n\u{1b}[?2004h")
      case .up, .control("p"), .down, .control("n"):
        let isUp = key == .up || key == .control("p")
        let target = entry + (isUp ? -1 : 1)
        guard browsing.indices.contains(target) else { continue }
        browsing[entry] = buffer.text
        entry = target
        buffer = LineBuffer(browsing[entry])
      default: Self.apply(key, &buffer)
      }
      try draw(prompt, buffer)
    }
    return .end
  }

  /// Changes `buffer` as `key` says.
  package static func apply(_ key: Key, _ buffer: inout LineBuffer) {
    switch key {
    case .text(let text), .paste(let text): buffer.insert(text)
    case .backspace: buffer.deleteBackward()
    case .delete, .control("d"): buffer.deleteForward()
    case .left, .control("b"): buffer.moveLeft()
    case .right, .control("f"): buffer.moveRight()
    case .home, .control("a"): buffer.moveToStart()
    case .end, .control("e"): buffer.moveToEnd()
    case .wordLeft: buffer.moveWordLeft()
    case .wordRight: buffer.moveWordRight()
    case .control("k"): buffer.deleteToEnd()
    case .control("u"): buffer.deleteToStart()
    case .control("w"): buffer.deleteWordBackward()
    case .control("i"): buffer.insert("  ")
    default: break
    }
  }

  /// Draws the line anew, from the row where its prompt stands.
  private mutating func draw(_ prompt: String, _ buffer: LineBuffer) throws {
    let layout = LineLayout(prompt: prompt, buffer, columns: Terminal.size().columns)
    var text = drawnRow > 0 ? "\u{1b}[\(drawnRow)A" : ""
    text += "\r\u{1b}[J" + prompt + Self.shown(buffer.text)
    // A terminal wraps only with the next character; a full last row needs it now.
    if layout.end.column == 0, layout.end.row > 0, buffer.characters.last?.isNewline != true {
      text += "\n"
    }
    let up = layout.end.row - layout.cursor.row
    if up > 0 { text += "\u{1b}[\(up)A" }
    text += "\r"
    if layout.cursor.column > 0 { text += "\u{1b}[\(layout.cursor.column)C" }
    drawnRow = layout.cursor.row
    try output.write(text)
  }

  /// The text without characters that would move the cursor.
  private static func shown(_ text: String) -> String {
    String(text.filter { $0.isNewline || DisplayWidth.columns($0) > 0 })
  }
}
