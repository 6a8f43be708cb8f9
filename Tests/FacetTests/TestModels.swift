// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Synchronization

/// Models for tests of sessions.
enum TestModels {
  /// A random model of Llama's shape that converses as Llama 2 does, in a context of 4,096 tokens.
  ///
  /// It is the fixture with another number in its file: `llama.context_length`.
  static func conversing() throws -> Model {
    var bytes = [UInt8](
      try Data(contentsOf: URL(fileURLWithPath: Goldens.path("fixtures/llama/llama.gguf"))))
    let key = Array("llama.context_length".utf8)
    let places = bytes.indices.dropLast(key.count).filter {
      bytes[$0] == key[0] && bytes[$0..<$0 + key.count].elementsEqual(key)
    }
    // After the key: four bytes of type, four of the value.
    for place in places { bytes[place + key.count + 5] = 16 }
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "facet-llama-\(UUID().uuidString).gguf")
    try Data(bytes).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    let options = LanguageModel.LoadOptions(threads: 1, precision: .exact)
    let language = try LanguageModel.load(path: url.path, options: options)
    return Model(language.conversing(as: "[INST] <<SYS>>"))
  }

  /// The stored SmolLM2 135M Instruct; nil where there is none.
  static func smolLM2() throws -> Model? {
    guard let path = StoredModels.path(sha256: StoredModels.smolLM2Hash) else { return nil }
    return Model(try LanguageModel.load(path: path))
  }
}

/// Answers that were written beforehand, one a passage.
final class ScriptedAnswers: AnswerSource {
  let language: LanguageModel
  private let answers: Counter<[String]>
  /// The prompts that came, as text.
  let prompts = Counter<[String]>([])

  init(_ language: LanguageModel, _ answers: [String]) {
    self.language = language
    self.answers = Counter(answers)
  }

  func events(
    _ prompt: Prompt, _ options: GenerationOptions
  ) -> AsyncThrowingStream<GenerationEvent, any Error> {
    prompts.change { $0.append(language.tokenizer.decode(prompt.tokens)) }
    let answer = answers.change { $0.isEmpty ? "" : $0.removeFirst() }
    return AsyncThrowingStream { stream in
      for character in answer { stream.yield(.rest(String(character))) }
      stream.yield(.finished(Self.summary))
      stream.finish()
    }
  }

  static let summary = GenerationSummary(
    reason: .endOfTurn, promptTokens: 1, generatedTokens: 1)

  func prewarm(_ prompt: Prompt) {}
  func save(to path: String) async throws {}
  func restore(from path: String) async throws {}
}

/// A value that several tasks change.
final class Counter<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>

  init(_ value: Value) { mutex = Mutex(value) }

  var value: Value { mutex.withLock { $0 } }

  @discardableResult
  func change<R: Sendable>(_ body: (inout Value) -> R) -> R { mutex.withLock { body(&$0) } }
}
