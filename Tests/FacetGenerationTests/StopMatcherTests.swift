// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import Testing

@Suite("Stop texts")
struct StopMatcherTests {
  /// What is shown of `pieces`, and the stop text that ended it.
  static func run(_ pieces: [String], stops: [String]) -> (shown: String, stop: String?) {
    var matcher = StopMatcher(stops)
    var shown = ""
    for piece in pieces {
      let (text, stop) = matcher.append(piece)
      shown += text
      if let stop { return (shown, stop) }
    }
    return (shown + matcher.finish(), nil)
  }

  @Test("the text up to the first stop text is shown, however it is cut into pieces")
  func everyCut() {
    var generator = RandomGenerator(seed: 7)
    let alphabet = ["a", "b", "ab", "é", "\n", "雨", "aab"]
    for _ in 0..<2000 {
      func word(_ most: Int) -> String {
        (0..<Int.random(in: 1...most, using: &generator)).map { _ in
          alphabet.randomElement(using: &generator) ?? ""
        }.joined()
      }
      let pieces = (0..<Int.random(in: 1...8, using: &generator)).map { _ in word(3) }
      let stops = (0..<Int.random(in: 0...3, using: &generator)).map { _ in word(2) }
      let found = Self.run(pieces, stops: stops)
      // Told one scalar at a time, a naive search finds the stop that is complete first.
      let expected = Self.naive(pieces, stops)
      #expect(found.shown == expected.shown && found.stop == expected.stop, "\(pieces) \(stops)")
    }
  }

  /// After every piece: the earliest, then longest stop text in all that was said.
  private static func naive(_ pieces: [String], _ stops: [String]) -> (shown: String, stop: String?)
  {
    var said: [UInt8] = []
    for piece in pieces {
      said += piece.utf8
      for start in said.indices {
        let here = stops.filter { said[start...].starts(with: $0.utf8) }
        if let stop = here.max(by: { $0.utf8.count < $1.utf8.count }) {
          return (String(decoding: said[..<start], as: UTF8.self), stop)
        }
      }
    }
    return (String(decoding: said, as: UTF8.self), nil)
  }

  @Test("only what may become a stop text is held back")
  func heldBack() {
    var matcher = StopMatcher(["\n\nUser:"])
    #expect(matcher.append("Hello\n").text == "Hello")
    #expect(matcher.append("\n").text == "")
    #expect(matcher.append("Us").text == "")
    #expect(matcher.append("ual").text == "\n\nUsual")
    #expect(matcher.append("\n\nUser").text == "")
    #expect(matcher.finish() == "\n\nUser")
    #expect(matcher.finish() == "")
  }

  @Test("without stop texts nothing is held back")
  func noStops() {
    var matcher = StopMatcher([])
    #expect(matcher.append("abc").text == "abc")
    #expect(matcher.finish() == "")
  }
}
