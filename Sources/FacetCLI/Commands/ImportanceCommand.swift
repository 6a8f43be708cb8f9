// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

struct ImportanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "importance",
    abstract: "Measure which columns of its matrices a model uses most.",
    discussion: """
      Reads the text and sums the squares of what goes into every matrix, for facet quantize \
      --importance. The file is an importance matrix in GGUF form, as llama-imatrix writes them, and \
      either program reads the other's.
      """)

  @Argument(help: "A name, a file or a directory.", completion: ModelCompletion.names)
  var model: String

  @Argument(help: "The text file.", completion: .file())
  var text: String

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String

  @Option(parsing: .unconditional, help: "Tokens of a chunk.")
  var chunk = 512

  @Option(parsing: .unconditional, help: "Read at most this many chunks (default: all).")
  var chunks: Int?

  @OptionGroup var engine: EngineOptions

  @Flag(help: "Replace the file if it is there.")
  var force = false

  func validate() throws { try ChunkChoice(chunk, chunks).validate() }

  func run() async throws {
    try checkOutput()
    let text = try TextFile.read(text)
    let name = URL(fileURLWithPath: self.text).lastPathComponent
    let matrix = try await Interrupts.cancelling {
      let model = try await engine.model(model).language
      var line = ProgressLine()
      let start = ContinuousClock.now
      return try model.importance(
        of: model.tokenizer.encode(text, bos: true), chunkLength: chunk, most: chunks,
        dataset: name
      ) { done, total in
        try Task.checkCancellation()
        let left = ProgressLine.left(since: start, done, of: total)
        line.show("chunk \(done) of \(total)  \(left)", done, of: total)
      }
    }
    try matrix.write(to: output)
    try OutputFile.standard.write(
      "\(output): \(matrix.entries.count) matrices, \(matrix.chunkCount) "
        + "\(matrix.chunkCount == 1 ? "chunk" : "chunks") of \(matrix.chunkSize)\n")
  }

  /// Says before the work what would be in the way after it.
  private func checkOutput() throws {
    var isDirectory = false
    if let kind = try? FileManager.default.attributesOfItem(atPath: output)[.type] {
      isDirectory = kind as? FileAttributeType == .typeDirectory
      if isDirectory { throw Failure("'\(output)' is a directory; name a file to write.") }
      if !force {
        throw Failure("'\(output)' is there already. Choose another name or give --force.")
      }
    }
    let folder = URL(fileURLWithPath: output).deletingLastPathComponent().path
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw Failure("No file can be written into '\(folder)'. Choose another folder.")
    }
  }
}
