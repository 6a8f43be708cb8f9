// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCLI
import FacetStore
import Testing

/// The parts of the terminal that need none.
@Suite("Line editing")
struct LineEditingTests {
  @Test(
    "characters take as many columns as Unicode's East Asian width says",
    arguments: [
      ("a", 1), ("é", 1), ("e\u{301}", 1), ("日", 2), ("한", 2), ("ｆ", 2), ("ﾊ", 1), ("😀", 2),
      ("❤\u{fe0f}", 2), ("👩‍👩‍👧", 2), ("\u{7}", 0), ("\u{200b}", 0), ("Ω", 1), ("ß", 1), ("、", 2),
    ] as [(Character, Int)])
  func width(_ character: Character, _ columns: Int) {
    #expect(DisplayWidth.columns(character) == columns)
  }

  static func edited(_ text: String, _ keys: [Key]) -> LineBuffer {
    var buffer = LineBuffer(text)
    for key in keys { LineEditor.apply(key, &buffer) }
    return buffer
  }

  @Test(
    "keys change the line as in a shell",
    arguments: [
      ("abc", [.left, .text("x")], "abxc"), ("abc", [.home, .delete], "bc"),
      ("abc", [.home, .backspace], "abc"), ("abc", [.delete], "abc"),
      ("one two ", [.control("w")], "one "), ("one two", [.wordLeft, .text("x")], "one xtwo"),
      ("one two", [.home, .wordRight, .text("x")], "onex two"),
      ("one two", [.wordLeft, .control("k")], "one "),
      ("one two", [.wordLeft, .control("u")], "two"),
      ("e", [.text("\u{301}"), .backspace], ""), ("日本", [.left, .backspace], "本"),
      ("👩‍👩‍👧", [.backspace], ""), ("abc", [.control("a"), .control("d")], "bc"),
      ("abc", [.other, .control("z"), .up], "abc"), ("", [.left, .right, .home, .end], ""),
    ] as [(String, [Key], String)])
  func keys(_ text: String, _ keys: [Key], _ result: String) {
    #expect(Self.edited(text, keys).text == result)
  }

  @Test("a line wraps where the terminal does, wide characters whole")
  func layout() {
    func end(_ text: String, _ columns: Int) -> [Int] {
      let place = LineLayout(prompt: "> ", LineBuffer(text), columns: columns).end
      return [place.row, place.column]
    }
    #expect(end("", 10) == [0, 2])
    #expect(end("1234567", 10) == [0, 9])
    #expect(end("12345678", 10) == [1, 0])
    #expect(end("123456789", 10) == [1, 1])
    #expect(end("1234567日", 10) == [1, 2])
    #expect(end("123456日", 10) == [1, 0])
    #expect(end("12\n3", 10) == [1, 1])
    let middle = LineLayout(
      prompt: "> ", Self.edited("日本語", [.left, .left]), columns: 10)
    #expect(middle.cursor.row == 0 && middle.cursor.column == 4)
  }

  @Test("sentences break between words, lists stay as they are")
  func wrapping() {
    #expect(WordWrap.wrap("one two three", columns: 7) == "one two\nthree")
    #expect(WordWrap.wrap("one two three", columns: 13) == "one two three")
    #expect(WordWrap.wrap("incomprehensible a", columns: 5) == "incomprehensible\na")
    #expect(WordWrap.wrap("  a list that is long\nb c", columns: 3) == "  a list that is long\nb c")
    #expect(WordWrap.wrap("", columns: 5) == "")
  }

  @Test("a line of progress fits the terminal, whatever its width")
  func progress() {
    let event = PullEvent(.downloading, byteCount: 50_000_000, totalByteCount: 200_000_000)
    func bar(_ columns: Int) -> String {
      PullDisplay.bar(
        event, total: 200_000_000, elapsed: .seconds(5), from: 0, columns: columns)
    }
    for columns in 0...120 { #expect(bar(columns).count <= max(0, columns - 1), "\(columns)") }
    #expect(
      bar(100)
        == "Downloading " + String(repeating: "█", count: 7) + String(repeating: "░", count: 23)
        + "  25 %  50.0 MB of 200 MB  10.0 MB/s  15 s left")
  }

  @Test("a table's columns are as wide as what is shown in them")
  func table() {
    var table = TextTable(["A", "NUMBER", "C"])
    table.rightAligned = [1]
    table.add(["日本", "7", "x"])
    table.add(["b", "12345678", "y"])
    #expect(table.text == "A       NUMBER  C\n日本         7  x\nb     12345678  y\n")
  }
}
