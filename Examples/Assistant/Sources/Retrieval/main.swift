// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation

// Finds the paragraphs of a file that are nearest to a question:
// swift run -c release Retrieval FILE QUESTION [MODEL]

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 2 else {
  print("usage: Retrieval FILE QUESTION [MODEL]")
  exit(2)
}
guard let text = try? String(contentsOfFile: arguments[0], encoding: .utf8) else {
  print("'\(arguments[0])' cannot be read as text.")
  exit(1)
}
do {
  let paragraphs = text.components(separatedBy: "\n\n").filter { !$0.isEmpty }
  let model = try await Model.load(arguments.count > 2 ? arguments[2] : "gemma3:270m")
  let vectors = try await model.embed(
    paragraphs + [arguments[1]], options: EmbeddingOptions(overlong: .truncate))
  guard let question = vectors.last else { exit(1) }
  let ranked = zip(paragraphs, vectors)
    .map { (similarity: question.similarity(to: $1), paragraph: $0) }
    .sorted { $0.similarity > $1.similarity }
  for (similarity, paragraph) in ranked.prefix(3) {
    print(String(format: "%.3f", Double(similarity)), paragraph.prefix(200), separator: "  ")
  }
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
