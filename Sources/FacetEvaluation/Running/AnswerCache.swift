// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetJSON
import Foundation

/// Answers that a model gave before, in a file that is only ever added to.
///
/// A run that was ended, however suddenly, goes on where it stood: a line that was not written to its end
/// is passed over.
package final class AnswerCache {
  /// Answers that were there when the file was opened.
  package private(set) var count = 0
  private var answers: [String: DocumentScore.Response] = [:]
  private let file: FileHandle
  private let path: String

  /// Opens, or makes, the file at `path`.
  package init(path: String) throws(EvaluationError) {
    self.path = path
    let manager = FileManager.default
    if !manager.fileExists(atPath: path) { _ = manager.createFile(atPath: path, contents: nil) }
    guard let file = FileHandle(forUpdatingAtPath: path) else {
      throw EvaluationError(
        .unwritable, "'\(path)' cannot be written; name another folder with --output.")
    }
    self.file = file
    for line in try DataFile.bytes(at: path).split(separator: 0x0a) { read([UInt8](line)) }
    count = answers.count
    do {
      let end = try file.seekToEnd()
      if end > 0 { try file.write(contentsOf: Data("\n".utf8)) }
    } catch { throw unwritable(error) }
  }

  deinit { try? file.close() }

  private func read(_ line: [UInt8]) {
    guard let json = try? JSONReader.read(line, path: path), let key = json["key"]?.string else {
      return
    }
    if let text = json["text"]?.string {
      answers[key] = .text(text)
    } else if let number = json["ll"]?.number, let isGreedy = json["greedy"]?.bool {
      answers[key] = .likelihood(logProbability: number, isGreedy: isGreedy)
    }
  }

  /// The key of a request to a model: nothing that changes the answer is left out.
  package static func key(model: String, _ request: DocumentScore.Request, settings: String)
    -> String
  {
    let parts = [model, settings, request.context, request.continuation ?? "\u{0}"]
    let lengths = parts.map { "\($0.utf8.count)" }
    return String(SHA256.hex([UInt8]((lengths + parts).joined(separator: "\n").utf8)).prefix(40))
  }

  /// The answer under `key`.
  package func answer(_ key: String) -> DocumentScore.Response? { answers[key] }

  /// Keeps answers.
  package func keep(_ new: [(key: String, answer: DocumentScore.Response)]) throws(EvaluationError)
  {
    var text = ""
    for (key, answer) in new {
      answers[key] = answer
      switch answer {
      case .likelihood(let logProbability, let isGreedy):
        text += "{\"key\":\"\(key)\",\"ll\":\(logProbability),\"greedy\":\(isGreedy)}\n"
      case .text(let written):
        text += "{\"key\":\"\(key)\",\"text\":\(JSON.string(written).text)}\n"
      }
    }
    do { try file.write(contentsOf: Data(text.utf8)) } catch { throw unwritable(error) }
  }

  private func unwritable(_ error: any Error) -> EvaluationError {
    EvaluationError(.unwritable, "'\(path)' cannot be written: \(error.localizedDescription)")
  }
}
