// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation
import Testing

extension RealModelTests {
  /// A long document is read once, whatever is asked about it.
  @Suite("Common beginnings")
  struct PrefixTests {
    static func ask(
      _ question: String, _ document: [Int32], _ count: Int, _ session: inout Session
    ) throws -> (ids: [Int32], summary: GenerationSummary) {
      let model = session.model
      let tokens =
        document + model.tokenizer.encode("\n\nQuestion: \(question)\nAnswer:", bos: false)
      var ids: [Int32] = []
      let options = GenerationOptions(
        sampling: Sampling(temperature: 0, logitBias: [1: -.infinity, 106: -.infinity]),
        maxTokens: count)
      let summary = try session.generate(Prompt(tokens: tokens), options: options) { event in
        if case .token(let token) = event { ids.append(token.id) }
      }
      return (ids, summary)
    }

    @Test("a second question on 4,096 tokens starts in less than 5 % of the first's time")
    func secondQuestion() throws {
      let model = try RealModel.fast()
      let chapter = try Text.emma()
      let text = (1...4).map { "Copy \($0).\n\(chapter)" }.joined(separator: "\n")
      let document = Array(model.prompt(text).tokens.prefix(4096))
      try #require(document.count == 4096)
      var session = try Session(model)
      // Longer than the ring of the layers with a window has to spare.
      let first = try Self.ask("Who is Emma?", document, 400, &session)
      #expect(first.summary.cachedTokens == 0)
      let second = try Self.ask("Where does she live?", document, 20, &session)
      let file = FileManager.default.temporaryDirectory.path + "/facet-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: file) }
      try session.save(to: file)

      // As another process would begin, once it has loaded the model.
      let loaded = try LanguageModel.load(path: #require(RealModel.path))
      let start = ContinuousClock.now
      var restored = try Session(loaded)
      try restored.restore(from: file)
      let restoring = ContinuousClock.now - start
      let third = try Self.ask("Who is Mr. Weston?", document, 20, &restored)
      for answer in [second, third] {
        #expect(answer.summary.cachedTokens >= 4096)
        #expect(answer.summary.prefillTime < first.summary.prefillTime / 20)
      }
      // Reading 30 MB into new memory takes as long again, and longer on a busy machine.
      #expect(restoring + third.summary.prefillTime < first.summary.prefillTime / 10)
      print(
        "4,096 tokens: \(first.summary.prefillTime), again \(second.summary.prefillTime), from a file "
          + "\(restoring) + \(third.summary.prefillTime)")
    }
  }
}
