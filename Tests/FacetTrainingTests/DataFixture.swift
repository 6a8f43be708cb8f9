// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import FacetTraining
import Foundation
import Testing

/// Vocabularies, files and sentences that the tests of data share.
enum DataFixture {
  /// A vocabulary of Gemma's form.
  static let gemma = tokenizer("tokenizer/small/gemma.model")
  /// One of Llama's.
  static let llama = tokenizer("tokenizer/small/llama.model")

  private static func tokenizer(_ name: String) -> Tokenizer? {
    guard let data = FileManager.default.contents(atPath: Goldens.path(name)) else { return nil }
    return try? Tokenizer(VocabularyDescription(sentencePieceModel: [UInt8](data)))
  }

  /// A folder of this run of the tests.
  static let folder = (try? Scratch.folder("data")) ?? Scratch.path("data")

  /// Writes a file into a folder of its own; errors of Facet then name it by `path`.
  static func file(_ name: String, _ text: String) throws -> String {
    try file(name, Data(text.utf8))
  }

  static func file(_ name: String, _ data: Data) throws -> String {
    let directory = folder + "/" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let path = directory + "/" + name
    try data.write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Reads a file with Gemma's vocabulary and format.
  static func read(
    _ path: String, _ options: DatasetOptions = DatasetOptions(),
    chatFormat: ChatFormat? = .gemma
  ) throws -> Dataset {
    try Dataset(
      reading: [path], options: options, tokenizer: try #require(gemma), chatFormat: chatFormat)
  }

  /// The rows of a JSONL file with this text, trained runs in ⟦…⟧.
  static func marked(
    _ text: String, name: String = "rows.jsonl", _ options: DatasetOptions = DatasetOptions(),
    chatFormat: ChatFormat? = .gemma
  ) throws -> [String] {
    let dataset = try read(file(name, text), options, chatFormat: chatFormat)
    let tokenizer = try #require(gemma)
    return (0..<dataset.count).map { dataset[$0].markedText(tokenizer) }
  }

  /// What is said about a file, its path written as its name.
  static func complaint(
    _ text: String, name: String = "rows.jsonl", _ options: DatasetOptions = DatasetOptions(),
    chatFormat: ChatFormat? = .gemma
  ) throws -> String? {
    try complaint(about: file(name, text), options, chatFormat: chatFormat)
  }

  static func complaint(
    about path: String, _ options: DatasetOptions = DatasetOptions(),
    chatFormat: ChatFormat? = .gemma
  ) throws -> String? {
    do {
      _ = try read(path, options, chatFormat: chatFormat)
      return nil
    } catch let error as TrainingError {
      return named(error.message, path)
    }
  }

  static func named(_ message: String, _ path: String) -> String {
    message.replacingOccurrences(
      of: path, with: URL(fileURLWithPath: path).lastPathComponent)
  }

  /// Packs a file with the system's gzip.
  static func gzip(_ path: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-k", path]
    try process.run()
    process.waitUntilExit()
    return path + ".gz"
  }

  /// A conversation as a row.
  static func row(_ question: String, _ answer: String) -> String {
    "{\"messages\":[{\"role\":\"user\",\"content\":\"\(question)\"},"
      + "{\"role\":\"assistant\",\"content\":\"\(answer)\"}]}\n"
  }
}
