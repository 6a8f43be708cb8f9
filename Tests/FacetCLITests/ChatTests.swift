// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Testing

/// `facet run` without a prompt, on a terminal.
@Suite("Chat", .serialized)
struct ChatTests {
  /// What `/save` writes.
  struct Record: Codable, Equatable {
    struct Message: Codable, Equatable {
      var role: String
      var content: String
    }
    var model: String
    var system: String?
    var messages: [Message]
    var text: String?
  }

  static func chat(_ arguments: String...) throws -> PseudoTerminal {
    let terminal = try PseudoTerminal(["run"] + arguments)
    try terminal.wait(for: "/help lists commands")
    try terminal.wait(for: ">>> ")
    return terminal
  }

  static func saved(_ terminal: PseudoTerminal) throws -> Record {
    let path = TinyModel.folder + "/chat-\(UUID().uuidString).json"
    terminal.type("/save \(path)\r")
    try terminal.wait(for: "Saved to '\(path)'.")
    try terminal.wait(for: ">>> ")
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return try JSONDecoder().decode(Record.self, from: data)
  }

  /// Sends a line and waits for the prompt that follows the answer.
  static func send(_ terminal: PseudoTerminal, _ line: String) throws {
    terminal.type(line + "\r")
    // The line ends when it was read; the prompt after that is the next one.
    try terminal.wait(for: "\u{1b}[?2004l")
    try terminal.wait(for: "\u{1b}[?2004h")
  }

  @Test("a question is answered, kept, and read from the cache the next time")
  func conversation() throws {
    let terminal = try Self.chat(TinyModel.instructed, "--greedy", "--max-tokens", "20")
    try Self.send(terminal, "Hello")
    try Self.send(terminal, "Again")
    let record = try Self.saved(terminal)
    #expect(record.model == "tiny-instruct.gguf")
    #expect(record.messages.map(\.role) == ["user", "assistant", "user", "assistant"])
    #expect(record.messages[0].content == "Hello" && record.messages[2].content == "Again")
    // The first answer is the one that a single question gets.
    let single = try Facet.run(
      "run", TinyModel.instructed, "Hello", "--greedy", "--max-tokens", "20")
    #expect(record.messages[1].content + "\n" == single.output)
    terminal.type("/bye\r")
    #expect(try terminal.exitStatus() == 0)
  }

  @Test("/set changes settings, lists them, and refuses what is none")
  func settings() throws {
    let terminal = try Self.chat(TinyModel.instructed, "--greedy")
    try Self.send(terminal, "/set max-tokens 7")
    try Self.send(terminal, "/set top_k 3")
    try Self.send(terminal, "/set system Be brief.")
    terminal.type("/set\r")
    try terminal.wait(for: "temperature         0.0")
    try terminal.wait(for: "top-k               3")
    try terminal.wait(for: "max-tokens          7")
    try terminal.wait(for: "system              Be brief.")
    try terminal.wait(for: ">>> ")
    terminal.type("/set warmth 3\r")
    try terminal.wait(for: "There is no setting 'warmth'; /set alone lists them.")
    terminal.type("/set top-k many\r")
    try terminal.wait(for: "'many' is not a value of top-k.")
    terminal.type("/set top-p 2\r")
    try terminal.wait(for: "Top-p is 2.0; it must lie above 0 and be at most 1 (off).")
    try terminal.wait(for: ">>> ")
    try Self.send(terminal, "Hello")
    let record = try Self.saved(terminal)
    #expect(record.system == "Be brief.")
    #expect(record.messages.last?.content.count == 7)
    terminal.type("/set max-tokens default\r")
    terminal.type("/show\r")
    try terminal.wait(for: "model               Tiny Instruct (tiny-instruct.gguf)")
    try terminal.wait(for: "chat format         chatML")
    try terminal.wait(for: "max-tokens          none")
    terminal.type("/exit\r")
    #expect(try terminal.exitStatus() == 0)
  }

  @Test("Ctrl-C stops the answer and not the program; twice at a prompt it leaves with 130")
  func interrupts() throws {
    let terminal = try Self.chat(TinyModel.instructed, "--context", "65536")
    terminal.type("Hello\r")
    try terminal.wait(for: "\u{1b}[?2004l")
    usleep(200_000)
    terminal.type("\u{3}")
    try terminal.wait(for: "(Stopped.)")
    try terminal.wait(for: ">>> ")
    let record = try Self.saved(terminal)
    #expect(record.messages.count == 2)
    #expect((record.messages.last?.content ?? "").count > 0)
    // A line under way is dropped; nothing more happens.
    terminal.type("half a li\u{3}")
    try terminal.wait(for: "^C")
    try terminal.wait(for: ">>> ")
    terminal.type("\u{3}")
    try terminal.wait(for: "(Ctrl-C once more, Ctrl-D or /bye leaves.)")
    try terminal.wait(for: ">>> ")
    terminal.type("\u{3}")
    #expect(try terminal.exitStatus() == 130)
  }

  @Test("a saved chat goes on where it was, after /clear and in another process")
  func saveAndLoad() throws {
    let first = try Self.chat(TinyModel.instructed, "--greedy", "--max-tokens", "10")
    try Self.send(first, "One")
    let path = TinyModel.folder + "/kept.json"
    try Self.send(first, "/save \(path)")
    try Self.send(first, "Two")
    let whole = try Self.saved(first)
    #expect(whole.messages.count == 4)
    do {
      first.type("/clear\r")
      try first.wait(for: "Forgotten; a new chat begins.")
      try first.wait(for: ">>> ")
      #expect(try Self.saved(first).messages == [])
      first.type("\u{4}")
      #expect(try first.exitStatus() == 0)
    }
    let second = try Self.chat(TinyModel.instructed, "--greedy", "--max-tokens", "10")
    second.type("/load \(path)\r")
    try second.wait(for: "Loaded 2 messages.")
    try second.wait(for: ">>> ")
    try Self.send(second, "Two")
    #expect(try Self.saved(second).messages == whole.messages)
    second.type("/load \(path).none\r")
    try second.wait(for: "cannot be read; check its name.")
    second.type("/load\r")
    try second.wait(for: "Write /load FILE")
    second.type("/nonsense\r")
    try second.wait(for: "There is no command /nonsense; /help lists them.")
    second.type("/help\r")
    try second.wait(for: "/set NAME VALUE")
    second.type("/bye\r")
    #expect(try second.exitStatus() == 0)
  }

  @Test("lines are edited with the keys of a shell, wide characters included")
  func editing() throws {
    let terminal = try Self.chat(TinyModel.instructed, "--greedy", "--max-tokens", "1")
    let left = "\u{1b}[D"
    try Self.send(terminal, "helo" + left + "l")
    try Self.send(terminal, "world\u{1}the \u{5}!")
    try Self.send(terminal, "one two\u{17}three\u{1b}[Hzero \u{1b}[F.")
    try Self.send(terminal, "gone\u{15}日本" + left + "é\u{7f}e\u{301}")
    // Twice back in the history, once forward, and something added.
    try Self.send(terminal, "\u{1b}[A\u{1b}[A\u{1b}[B?")
    // Several lines between quotes, and a pasted text with its newline.
    terminal.type("\"\"\"first\r")
    try terminal.wait(for: "... ")
    try Self.send(terminal, "second\"\"\"")
    try Self.send(terminal, "\u{1b}[200~a\rb\u{1b}[201~c")
    let asked = try Self.saved(terminal).messages.filter { $0.role == "user" }.map(\.content)
    #expect(
      asked == [
        "hello", "the world!", "zero one three.", "日e\u{301}本", "日e\u{301}本?", "first\nsecond",
        "a\nbc",
      ])
    terminal.type("/bye\r")
    #expect(try terminal.exitStatus() == 0)
  }

  @Test("a base model's chat is one growing text")
  func growingText() throws {
    let terminal = try PseudoTerminal(["run", TinyModel.base, "--greedy", "--max-tokens", "8"])
    try terminal.wait(for: "tiny.gguf continues text")
    try terminal.wait(for: ">>> ")
    try Self.send(terminal, "Hello")
    let first = try #require(try Self.saved(terminal).text)
    let single = try Facet.run("run", TinyModel.base, "Hello", "--greedy", "--max-tokens", "8")
    #expect(first + "\n" == "Hello" + single.output)
    // An empty line goes on.
    try Self.send(terminal, "")
    let second = try #require(try Self.saved(terminal).text)
    #expect(second.hasPrefix(first) && second.count == first.count + 8)
    terminal.type("/set system x\r")
    try terminal.wait(for: "tiny.gguf continues text and takes no system text.")
    terminal.type("/bye\r")
    #expect(try terminal.exitStatus() == 0)
  }

  @Test("a narrow terminal shows a line that wraps, and gets all of it")
  func narrow() throws {
    let terminal = try PseudoTerminal(
      ["run", TinyModel.instructed, "--greedy", "--max-tokens", "1"], columns: 20)
    try terminal.wait(for: ">>> ")
    let line = String(repeating: "日本", count: 12)
    terminal.type(line + "\u{1b}[Hx")
    // Back at the first column of the prompt, two rows up.
    try terminal.wait(for: "\u{1b}[2A\r\u{1b}[5C")
    terminal.type("\r")
    try terminal.wait(for: "\u{1b}[?2004h")
    terminal.type("/set stop \(line)\r")
    terminal.type("/save \(TinyModel.folder)/narrow.json\r")
    try terminal.wait(for: "narrow.json'.")
    let data = try Data(contentsOf: URL(fileURLWithPath: TinyModel.folder + "/narrow.json"))
    let record = try JSONDecoder().decode(Record.self, from: data)
    #expect(record.messages.first?.content == "x" + line)
    terminal.type("/bye\r")
    #expect(try terminal.exitStatus() == 0)
  }

  @Test("the terminal is given back as it was, however the chat ends")
  func givenBack() throws {
    let terminal = try Self.chat(TinyModel.instructed, "--max-tokens", "1")
    #expect(!terminal.echoes)
    terminal.send(signal: SIGINT)
    // Before its end, which takes the terminal away.
    let deadline = ContinuousClock.now + .seconds(90)
    while !terminal.echoes, ContinuousClock.now < deadline { usleep(1000) }
    #expect(terminal.echoes)
    #expect(try terminal.exitStatus() == 130)
  }

  @Test("a terminal that can do nothing gets plain lines")
  func dumb() throws {
    let terminal = try PseudoTerminal(
      ["run", TinyModel.instructed, "--greedy", "--max-tokens", "5"],
      environment: ["TERM": "dumb"])
    try terminal.wait(for: ">>> ")
    terminal.type("Hello\n")
    try terminal.wait(for: ">>> ")
    #expect(!terminal.screen.contains("\u{1b}"))
    terminal.type("/bye\n")
    #expect(try terminal.exitStatus() == 0)
  }
}
