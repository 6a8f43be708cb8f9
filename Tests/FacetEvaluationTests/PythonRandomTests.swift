// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import FacetTestSupport
import Foundation
import Testing

@Suite("Python's random numbers")
struct PythonRandomTests {
  private static let golden: JSON = {
    let path = Goldens.path("evaluation/random.json")
    let bytes = (try? Data(contentsOf: URL(fileURLWithPath: path))).map { [UInt8]($0) } ?? []
    return (try? JSONReader.read(bytes, path: path)) ?? .null
  }()

  @Test("32-bit words are CPython's, beyond the first refilling of the state")
  func words() {
    var random = PythonRandom(seed: 1234)
    let words = (0..<1300).map { _ in Int(random.next()) }
    #expect(words.prefix(3) == [4_150_886_329, 3_342_196_574, 1_892_932_127])
    #expect(Array(words.suffix(8)) == Self.golden["words"]?.array?.compactMap(\.integer))
  }

  @Test("samples of 5, 7, 10 and 25, one after the other, are CPython's, from small and large sets")
  func samples() {
    let cases = Self.golden["cases"]?.array ?? []
    #expect(cases.count == 40)
    for value in cases {
      guard let size = value["size"]?.integer, let count = value["count"]?.integer else { continue }
      var random = PythonRandom(seed: 1234)
      for sample in value["samples"]?.array ?? [] {
        #expect(random.sample(size, count) == sample.array?.compactMap(\.integer))
      }
    }
  }

  @Test("other seeds are CPython's, too")
  func seeds() {
    let seeds = Self.golden["seeds"]?.object?.members ?? []
    #expect(seeds.count == 4)
    for member in seeds {
      var random = PythonRandom(seed: UInt32(member.key) ?? 7)
      #expect(random.sample(5000, 5) == member.value.array?.compactMap(\.integer))
    }
  }
}
