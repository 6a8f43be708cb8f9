// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Time grows with length and not with its square; limits are far from what a noisy machine takes.
///
/// It is the thread's own time, so that a machine that does other things meanwhile does not count.
struct EncodingTimeTests {
  static let limit = Duration.seconds(10)

  static let runs: [(name: String, unit: String)] = [
    ("one letter", "a"), ("spaces", " "), ("▁", "▁"), ("line breaks", "\n"), ("tabs", "\t"),
    ("digits", "7"),
    ("CJK", "日"), ("emoji", "😀"), ("marks", "e\u{301}"), ("punctuation", "-"), ("apostrophes", "'"),
    ("angle brackets", "<"), ("control names", "<start_of_turn>"), ("broken UTF-8", "\u{FFFD}"),
    ("spaces and digits", " 1"), ("no-break spaces", "\u{A0}"), ("alternating", "ab"),
  ]

  @Test("200 kB of one thing take no longer than 200 kB of text may")
  func runs() throws {
    let models: [(String, Tokenizer)] = [
      ("mistral-v1", try Vocabularies.mistralV1()), ("smollm2", try Vocabularies.smolLM2()),
      ("gemma", try Vocabularies.small("gemma.model")),
      ("gpt2", try Vocabularies.small("gpt2.json")),
      ("unused", try Vocabularies.small("unused.model")),
    ]
    for (name, tokenizer) in models {
      for (what, unit) in Self.runs {
        try check("\(name), \(what)", unit, tokenizer)
      }
    }
  }

  @Test(
    "the same with Gemma's vocabulary, which is built in a few hundredths of a second",
    .enabled(if: Vocabularies.gemma3Path != nil, "\(StoredModels.needsGemma3)"))
  func gemma() throws {
    let path = try #require(Vocabularies.gemma3Path)
    let description = try GGUFVocabularyFile(TestFiles.prefix(path)).description()
    let times = try (0..<5).map { _ in try Self.time { _ = try Tokenizer(description) } }
      .sorted()
    print("Gemma 3's tokenizer is built in \(times[2]), the median of \(times)")
    #expect(times[2] < .seconds(1))
    let tokenizer = try Tokenizer(description)
    for (what, unit) in Self.runs { try check("gemma3, \(what)", unit, tokenizer) }
    let ordinary = Array(Corpus.lines.joined(separator: [0x0A]))
    for copies in [1, 3, 6] {
      let text = Array(repeatElement(ordinary, count: copies).joined())
      let time = Self.time { _ = tokenizer.encode(utf8: text) }
      print("Gemma 3 encodes \(text.count) bytes of the corpus in \(time)")
      #expect(time < Self.limit)
    }
  }

  /// What `body` takes of the processor.
  private static func time(_ body: () throws -> Void) rethrows -> Duration {
    func now() -> Duration {
      var time = timespec()
      unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
    let start = now()
    try body()
    return now() - start
  }

  /// What takes n² steps takes a minute and more at this length.
  private func check(_ name: String, _ unit: String, _ tokenizer: Tokenizer) throws {
    let bytes = Array(repeatElement(Array(unit.utf8), count: 200_000 / unit.utf8.count).joined())
    let time = Self.time {
      let ids = tokenizer.encode(utf8: bytes)
      #expect(tokenizer.decodeBytes(ids).count == bytes.count || unit == "▁")
      if unit.first == "<" { _ = tokenizer.encode(utf8: bytes, parsing: .recognized) }
    }
    #expect(time < Self.limit, "\(name)")
    if time > .seconds(1) { print("\(name): 200 kB in \(time)") }
  }
}
