// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

struct DetokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detokenize",
    abstract: "Turn token ids into text.",
    discussion: """
      IDS are separated by spaces or commas; without them, standard input holds them. Control tokens \
      have no text, unless --special is given. The text is followed by a newline.
      """)

  @Argument(help: "A name, a file or a directory.", completion: ModelCompletion.names)
  var model: String

  @Argument(help: "Token ids.")
  var ids: [String] = []

  @Flag(help: "Write control tokens by their names.")
  var special = false

  func run() throws {
    let text = ids.isEmpty ? try StandardInput.text() : ids.joined(separator: " ")
    let tokenizer = try Tokenizer(Checkpoint.open(ModelStore().locate(model)))
    let tokens = try text.split { $0 == "," || $0.isWhitespace }.map { word in
      guard let id = TokenID(word), id >= 0, Int(id) < tokenizer.vocabularySize else {
        throw Failure(
          "'\(word)' is not a token of this model; ids are 0 to \(tokenizer.vocabularySize - 1).")
      }
      return id
    }
    try OutputFile.standard.write(tokenizer.decode(tokens, skippingControl: !special) + "\n")
  }
}
