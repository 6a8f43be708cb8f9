// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import FacetTestSupport
import Foundation
import Testing

/// A session goes to a file and comes back, or says why not.
@Suite("Snapshots")
struct SnapshotTests {
  static func message(_ path: String, _ session: inout Session) -> String {
    do {
      try session.restore(from: path)
      return "no error"
    } catch { return "\(error)" }
  }

  @Test(
    "a restored session answers as the one that was saved, without reading again",
    arguments: ["gemma1", "gemma2", "gemma3", "llama", "mistral"], [Precision.exact, .fast])
  func roundTrip(family: String, precision: Precision) throws {
    try withFolder { folder in
      let fixture = try Fixture(family, precision: precision)
      let golden = try Fixture.golden("long", family: family)
      let prompt = Prompt(tokens: golden.tokens)
      var session = try Session(fixture.model)
      let expected = try session.transcript(prompt, PrefixTests.greedy(20))
      let kept = session.tokens
      try session.save(to: folder + "s")
      var restored = try Session(fixture.model)
      try restored.restore(from: folder + "s")
      #expect(restored.tokens == kept)
      let again = try restored.transcript(prompt, PrefixTests.greedy(20))
      #expect(again.ids == (try session.transcript(prompt, PrefixTests.greedy(20))).ids)
      #expect(again.summary?.cachedTokens == golden.tokens.count - 1)
      #expect(again.ids.count == expected.ids.count)
      // The same session gives the same bytes.
      var twin = try Session(fixture.model)
      try twin.restore(from: folder + "s")
      try twin.save(to: folder + "t")
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: folder + "s"))
          == Data(contentsOf: URL(fileURLWithPath: folder + "t")))
    }
  }

  @Test("far beyond the windows too, and from there back to the prompt's end")
  func ring() throws {
    try withFolder { folder in
      var random = RandomModel()
      random.context = 1024
      try random.write(to: folder + "model.gguf")
      let model = try LanguageModel.load(path: folder + "model.gguf")
      var session = try Session(model)
      let first = try session.transcript(PrefixTests.prompt(265), PrefixTests.greedy(900))
      try session.save(to: folder + "long")
      let isBack = session.truncate(to: 65)
      #expect(isBack)
      try session.save(to: folder + "prompt")
      var restored = try Session(model)
      try restored.restore(from: folder + "prompt")
      let second = try restored.transcript(PrefixTests.prompt(270), PrefixTests.greedy(20))
      #expect(second.summary?.cachedTokens == 60)
      var fresh = try Session(model)
      #expect(
        second.ids
          == (try fresh.transcript(PrefixTests.prompt(270), PrefixTests.greedy(20))).ids)
      try restored.restore(from: folder + "long")
      #expect(restored.tokens == PrefixTests.prompt(265).tokens + first.ids.dropLast())
      // Another context: the global layers fit, the rings do not.
      var narrow = try Session(model, context: 300)
      #expect(
        Self.message(folder + "prompt", &narrow)
          == "The snapshot '\(folder)prompt' holds 65 tokens of a context that does not fit this one "
          + "of 300. Use the context that it was made with, or another file.")
    }
  }

  @Test("what belongs to another model, or another cache, is refused and changes nothing")
  func mismatches() throws {
    try withFolder { folder in
      let path = folder + "s"
      let fixture = try Fixture()
      let golden = try Fixture.golden("long")
      var session = try Session(fixture.model)
      _ = try session.prefill(golden.tokens)
      try session.save(to: path)

      var fast = try Session(try Fixture(precision: .fast).model)
      #expect(
        Self.message(path, &fast)
          == "The snapshot '\(path)' holds keys and values of another type than this session. Use the "
          + "precision and the type of cache that it was made with, or another file.")
      let other = try Fixture("gemma2").model
      var elsewhere = try Session(other)
      _ = try elsewhere.prefill(golden.tokens)
      #expect(
        Self.message(path, &elsewhere)
          == "The snapshot '\(path)' was made with another model than \(other.card.name). Use that "
          + "one, or another file.")
      #expect(elsewhere.tokens == golden.tokens)
      // The same shape with other weights.
      try RandomModel().write(to: folder + "1.gguf", seed: 1)
      try RandomModel().write(to: folder + "2.gguf", seed: 2)
      let (one, two) = (
        try LanguageModel.load(path: folder + "1.gguf"),
        try LanguageModel.load(path: folder + "2.gguf")
      )
      var first = try Session(one)
      _ = try first.prefill([2, 270])
      try first.save(to: folder + "one")
      var second = try Session(two)
      #expect(Self.message(folder + "one", &second).contains("another model"))
      #expect(Self.message(folder + "one", &first) == "no error")

      var narrow = try Session(fixture.model, context: 16)
      #expect(Self.message(path, &narrow).contains("does not fit this one of 16."))
      #expect(
        Self.message(folder + "none", &session)
          == "The snapshot '\(folder)none' cannot be read. Check its name, or delete it.")
      #expect(
        Self.message(folder + "1.gguf", &session)
          == "'\(folder)1.gguf' is not a snapshot of a session. Name another file.")
      #expect(throws: (any Error).self) { try session.save(to: folder + "none/s") }

      // The second word is the version, the seventh the positions of a ring.
      var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      func message(_ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "bad"))
        return Self.message(folder + "bad", &session)
      }
      #expect(
        try message(Array(bytes.prefix(71)))
          == "The snapshot '\(folder)bad' is cut off. Delete it.")
      bytes[8] = 9
      #expect(
        try message(bytes)
          == "The snapshot '\(folder)bad' is of version 9, and only version 1 can be read. Delete it."
      )
      bytes[8] = 1
      bytes[55] = 1
      #expect(try message(bytes) == "The snapshot '\(folder)bad' is damaged. Delete it.")
    }
  }

  @Test("no damaged file is taken for a snapshot, and none does harm")
  func fuzz() throws {
    try withFolder { folder in
      var random = SeededGenerator.announced("snapshots", salt: 77)
      let fixture = try Fixture()
      let golden = try Fixture.golden("long")
      var session = try Session(fixture.model)
      _ = try session.prefill(golden.tokens)
      try session.save(to: folder + "s")
      let good = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "s")))
      let path = folder + "bad"
      func judge(_ bytes: [UInt8], _ what: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let message = Self.message(path, &session)
        #expect(message != "no error", "\(what)")
        #expect(message.contains("'\(path)'") && message.hasSuffix("."), "\(message)")
        #expect(session.tokens == golden.tokens)
      }
      for length in Array(0...90)
        + (0..<60).map({ _ in Int.random(in: 0..<good.count, using: &random) })
      {
        try judge(Array(good.prefix(length)), "cut to \(length)")
      }
      try judge(good + [0], "one byte more")
      for _ in 0..<300 {
        var bytes = good
        let limit = Bool.random(using: &random) ? 80 + golden.tokens.count * 4 : good.count
        let place = Int.random(in: 0..<limit, using: &random)
        bytes[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
        try judge(bytes, "a bit of byte \(place)")
      }
      // Sizes beyond reason in each word of the header.
      for word in 1..<9 {
        for value: UInt64 in [.max, 1 << 63, 1 << 32, 1 << 31, 1 << 20] {
          var bytes = good
          for byte in 0..<8 {
            bytes[word * 8 + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
          }
          try judge(bytes, "word \(word) = \(value)")
        }
      }
      try Data(good).write(to: URL(fileURLWithPath: path))
      #expect(Self.message(path, &session) == "no error")
    }
  }
}
