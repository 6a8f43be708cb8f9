// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet

/// Writes an answer as it comes, and ends it with exactly one newline.
struct AnswerText {
  private let output: OutputFile
  /// Newlines that are written when something follows them.
  private var heldNewlines = 0
  private(set) var text = ""

  init(_ output: OutputFile) { self.output = output }

  /// Writes what `event` adds to the answer.
  mutating func show(_ event: GenerationEvent) throws {
    switch event {
    case .token(let token): try add(token.text)
    case .rest(let text): try add(text)
    case .finished: try output.write("\n")
    case .prefill: break
    }
  }

  private mutating func add(_ piece: String) throws {
    guard !piece.isEmpty else { return }
    text += piece
    let body = piece.utf8.reversed().drop { $0 == 0x0a }
    let newlines = piece.utf8.count - body.count
    guard !body.isEmpty else {
      heldNewlines += newlines
      return
    }
    let kept = String(decoding: body.reversed(), as: UTF8.self)
    try output.write(String(repeating: "\n", count: heldNewlines) + kept)
    heldNewlines = newlines
  }
}
