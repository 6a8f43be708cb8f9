// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Turn text into token ids.",
    discussion: """
      Without TEXT, standard input is the text, less the newline at its end. With --json: an object \
      with tokens, an array of id and piece.
      """)

  @Argument(help: "A name, a file or a directory.", completion: ModelCompletion.names)
  var model: String

  @Argument(help: "The text.")
  var text: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print one token a line, with its piece of the vocabulary.")
  var pieces = false

  @Flag(inversion: .prefixedNo, help: "Begin with the beginning-of-sequence token.")
  var bos = true

  @Flag(help: "Read names of control tokens in the text, such as <end_of_turn>, as those tokens.")
  var special = false

  /// The tokens, as JSON.
  private struct Page: Encodable {
    struct Token: Encodable {
      var id: TokenID
      var piece: String
    }
    var tokens: [Token]
  }

  func run() throws {
    let tokenizer = try Tokenizer(Checkpoint.open(ModelStore().locate(model)))
    let ids = tokenizer.encode(
      try text ?? StandardInput.text(), parsing: special ? .recognized : .literal, bos: bos)
    func piece(_ id: TokenID) -> String { tokenizer.piece(id) ?? "" }
    if json {
      let page = Page(tokens: ids.map { Page.Token(id: $0, piece: piece($0)) })
      try OutputFile.standard.write(JSONText.line(page) + "\n")
    } else if pieces {
      var table = TextTable()
      table.rightAligned = [0]
      for id in ids { table.add(["\(id)", Self.oneLine(piece(id))]) }
      try OutputFile.standard.write(table.text)
    } else {
      try OutputFile.standard.write(ids.map { "\($0)" }.joined(separator: " ") + "\n")
    }
  }

  /// A piece that would break the line is written with its escapes.
  private static func oneLine(_ piece: String) -> String {
    piece.contains { $0.isNewline || $0 == "\t" } ? piece.debugDescription : piece
  }
}
