// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTraining
import Foundation
import Testing

@Suite("Damaged data")
struct DataFuzzTests {
  private static let seeds = [
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]}\n",
    "{\"prompt\":\"a\",\"completion\":\"b \\u00e9\"}\r\n{\"text\":\"x\"}\n",
    "[{\"text\":\"a\"},{\"conversations\":[{\"from\":\"gpt\",\"value\":\"b\"}]}]",
    "text,prompt\n\"a \"\"b\"\"\",c\nd,\"e\nf\"\n",
  ]

  @Test("bytes that are no rows are refused or skipped, never a crash")
  func randomBytes() throws {
    var generator = SeededGenerator.announced("fuzz of rows", salt: 91)
    var options = DatasetOptions()
    for round in 0..<600 {
      var bytes = Array((Self.seeds.randomElement(using: &generator) ?? "").utf8)
      for _ in 0..<Int.random(in: 0...6, using: &generator) {
        let index = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes.insert(UInt8.random(in: 0 ... .max, using: &generator), at: index)
        case 1 where index < bytes.count:
          bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.removeSubrange(index...)
        default:
          bytes.insert(
            contentsOf: Array("\"{}[],:\n\\".utf8).shuffled(using: &generator).prefix(3), at: index)
        }
      }
      if round % 10 == 0 {
        bytes = (0..<200).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
      }
      let name = ["a.jsonl", "a.json", "a.csv", "a.tsv"][round % 4]
      let path = try DataFixture.file(name, Data(bytes))
      options.skipInvalid = round % 3 > 0
      do {
        let dataset = try DataFixture.read(path, options)
        for index in 0..<dataset.count {
          #expect(dataset[index].isTarget.contains(true) && !dataset[index].isTarget[0])
        }
      } catch let error as TrainingError {
        #expect(!error.message.isEmpty)
      }
      _ = try? PreferenceRow.read([path])
    }
  }

  @Test("a line may be longer than a piece of the file, and the last need not end")
  func longLines() throws {
    let long = String(repeating: "a ", count: 1_200_000)
    let text = "{\"text\":\"b\"}\n{\"text\":\"\(long)\"}\n{\"text\":\"c\"}"
    let dataset = try DataFixture.read(
      DataFixture.file("a.jsonl", text), DatasetOptions(maxLength: nil))
    #expect((0..<dataset.count).map { dataset[$0].line } == [1, 2, 3])
    #expect(dataset.length(of: 1) == dataset.statistics.longest)
    #expect(dataset.length(of: 1) > 1_000_000)
    #expect(dataset.length(of: 2) == dataset.length(of: 0))
  }
}
