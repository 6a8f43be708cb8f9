// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import Testing

@Suite("PythonOutput")
struct PythonOutputTests {
  @Test("four hundred floats, the ends of the range among them, are written as Python's repr")
  func floats() throws {
    let pairs = try #require(try ResultGolden.json("text.json")["floats"]?.array)
    #expect(pairs.count == 400)
    for pair in pairs.compactMap(\.array) {
      let bits = try #require(pair[0].string.flatMap { UInt64($0, radix: 16) })
      #expect(PythonOutput.repr(Double(bitPattern: bits)) == pair[1].string)
    }
  }

  @Test("random values are dumped as json.dumps does, on one line and indented")
  func dumps() throws {
    let cases = try #require(try ResultGolden.json("text.json")["dumps"]?.array)
    #expect(cases.count == 60)
    for entry in cases {
      let value = entry.object?["value"] ?? .null
      #expect(PythonOutput.dumps(value) == entry["line"]?.string)
      #expect(PythonOutput.dumps(value, indent: 2) == entry["page"]?.string)
    }
  }

  @Test("a file with NaN and infinities is read as Python writes them, and only when asked for")
  func notNumbers() throws {
    let text = "[NaN, Infinity, -Infinity, -1]"
    let value = try JSONReader.read([UInt8](text.utf8), path: "x", numbers: .python)
    #expect(PythonOutput.dumps(value) == text)
    let error = #expect(throws: JSONError.self) {
      try JSONReader.read([UInt8](text.utf8), path: "x")
    }
    #expect(error?.message == "'x' is not JSON: a value is missing at byte 1.")
  }
}
