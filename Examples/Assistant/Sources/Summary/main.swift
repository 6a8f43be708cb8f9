// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation

// Summarises a text file: swift run -c release Summary FILE [MODEL]

/// What a summary is made of.
struct Summary: Codable, Sendable {
  enum Tone: String, Codable, CaseIterable, Sendable { case friendly, neutral, critical }
  var title: String
  var sentence: String
  var tone: Tone
}

/// The same while it grows.
struct Draft: Decodable, Sendable {
  var title: String?
  var sentence: String?
}

guard let path = CommandLine.arguments.dropFirst().first else {
  print("usage: Summary FILE [MODEL]")
  exit(2)
}
guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
  print("'\(path)' cannot be read as text.")
  exit(1)
}
do {
  let model = try await Model.load(CommandLine.arguments.dropFirst(2).first ?? "smollm2:135m")
  let session = LanguageModelSession(
    model: model, instructions: "You summarise texts in one sentence.")
  // Small models repeat themselves; the penalty keeps them from it.
  let sampling = Sampling(temperature: 0, repetitionPenalty: 1.2)
  let options = GenerationOptions(sampling: sampling, maxTokens: 256)
  let answer = try session.streamResponse(
    to: "Summarise this text:\n\n\(text)", generating: Summary.self, partially: Draft.self,
    options: options)
  var shown = 0
  for try await snapshot in answer {
    let sentence = snapshot.content?.sentence ?? ""
    FileHandle.standardError.write(Data(String(sentence.dropFirst(shown)).utf8))
    shown = sentence.count
  }
  guard case .response(let json) = session.transcript.entries.last else { exit(1) }
  print("\n" + json)
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
