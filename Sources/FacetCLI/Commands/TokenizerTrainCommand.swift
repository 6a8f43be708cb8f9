// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

struct TokenizerTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Learn a SentencePiece vocabulary (BPE) from text.",
    discussion: """
      The files hold UTF-8 text, a sentence or paragraph a line. The result is a tokenizer.model \
      that SentencePiece reads, too. A special piece with a negative id is left out.
      """)

  @Option(
    name: .shortAndLong, parsing: .upToNextOption, help: "The files to train on.",
    completion: .file())
  var input: [String]

  @Option(parsing: .unconditional, help: "How many pieces the vocabulary has.")
  var vocabSize: Int

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String

  @Option(parsing: .unconditional, help: "The share of characters that get pieces of their own.")
  var characterCoverage: Float = 0.9995

  @Option(parsing: .unconditional, help: "The most characters of a piece.")
  var maxPieceLength = 16

  @Option(help: "Texts that are always one token, with commas between them.")
  var userSymbols = ""

  @Flag(inversion: .prefixedNo, help: "Put a space before each line.")
  var dummyPrefix = true

  @Flag(help: "Train as if runs of spaces were one; the vocabulary keeps them.")
  var removeExtraSpaces = false

  @Flag(help: "Make each digit a piece of its own.")
  var splitDigits = false

  @Flag(inversion: .prefixedNo, help: "Have 256 pieces for bytes.")
  var byteFallback = true

  @Flag(help: "Gemma's special pieces: <pad> 0, <eos> 1, <bos> 2, <unk> 3.")
  var gemma = false

  @Option(parsing: .unconditional, help: "The id of the unknown piece (default: 0).")
  var unkId: Int?

  @Option(parsing: .unconditional, help: "The id of beginning of sequence (default: 1).")
  var bosId: Int?

  @Option(parsing: .unconditional, help: "The id of end of sequence (default: 2).")
  var eosId: Int?

  @Option(parsing: .unconditional, help: "The id of padding (default: none).")
  var padId: Int?

  @Option(help: "The unknown piece (default: <unk>).")
  var unkPiece: String?

  @Option(help: "Beginning of sequence (default: <s>).")
  var bosPiece: String?

  @Option(help: "End of sequence (default: </s>).")
  var eosPiece: String?

  @Option(help: "Padding (default: <pad>).")
  var padPiece: String?

  private var options: SentencePieceOptions {
    var options = SentencePieceOptions(vocabularySize: vocabSize)
    if gemma { options.useGemmaSpecials() }
    options.characterCoverage = characterCoverage
    options.maxPieceLength = maxPieceLength
    options.userSymbols = userSymbols.split(separator: ",").map(String.init)
    options.addsDummyPrefix = dummyPrefix
    options.removesExtraSpaces = removeExtraSpaces
    options.splitsDigits = splitDigits
    options.bytePieces = byteFallback
    func change(_ special: inout SentencePieceOptions.Special, _ piece: String?, _ id: Int?) {
      special = .init(piece ?? special.piece, id: id ?? special.id)
    }
    change(&options.unknown, unkPiece, unkId)
    change(&options.bos, bosPiece, bosId)
    change(&options.eos, eosPiece, eosId)
    change(&options.padding, padPiece, padId)
    return options
  }

  func validate() throws {
    do { try options.validate() } catch { throw ValidationError(error.message) }
  }

  func run() throws {
    var trainer = try SentencePieceTrainer(options)
    for path in input { try Self.read(path, into: &trainer) }
    let vocabulary = try trainer.train()
    do {
      try Data(vocabulary.model()).write(to: URL(fileURLWithPath: output), options: .atomic)
    } catch {
      throw Failure("Cannot write '\(output)': \(error.localizedDescription)")
    }
    try OutputFile.standard.write("\(vocabulary.pieces.count) pieces in \(output)\n")
  }

  /// Reads a file in parts, so that its size does not matter.
  private static func read(_ path: String, into trainer: inout SentencePieceTrainer) throws {
    let file: FileHandle
    do { file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path)) } catch {
      throw Failure("Cannot read '\(path)'; it must be a file of text that you may read.")
    }
    defer { try? file.close() }
    while true {
      let part: Data?
      do { part = try file.read(upToCount: 1 << 20) } catch {
        throw Failure("Cannot read '\(path)'; it must be a file of text that you may read.")
      }
      guard let part, !part.isEmpty else { break }
      try trainer.add([UInt8](part), file: path)
    }
    try trainer.endFile(path)
  }
}
