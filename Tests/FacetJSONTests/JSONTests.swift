// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import FacetTestSupport
import Testing

@Suite("The JSON reader follows RFC 8259")
struct JSONTests {
  private func read(_ text: String) throws(JSONError) -> JSON {
    try JSONReader.read(Array(text.utf8), path: "f.json")
  }

  private func message(_ bytes: [UInt8]) -> String? {
    do throws(JSONError) {
      _ = try JSONReader.read(bytes, path: "f.json")
      return nil
    } catch {
      return error.message
    }
  }

  @Test("values of every kind")
  func values() throws {
    let value = try read(
      #" {"a": [1, -2.5e1, true, false, null, "x"], "b": {}, "c": [], "": "é"} "#)
    #expect(
      value["a"]
        == .array([.integer(1), .number(-25), .bool(true), .bool(false), .null, .string("x")]))
    #expect(value["b"]?.object?.members.isEmpty == true && value["c"] == .array([]))
    #expect(value[""]?.string == "é")
    #expect(value["absent"] == nil)
    #expect(value.object?.members.map(\.key) == ["a", "b", "c", ""], "the order of the text")
  }

  @Test(
    "numbers: whole ones stay whole, the rest are the nearest Double",
    arguments: [
      ("0", JSON.integer(0)), ("-0", .integer(0)), ("9223372036854775807", .integer(.max)),
      ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(0x1p63)),
      ("1.0", .number(1)), ("1e2", .number(100)), ("1E+2", .number(100)), ("0.1", .number(0.1)),
      ("123.456e-7", .number(123.456e-7)), ("5e-324", .number(.leastNonzeroMagnitude)),
      ("1e-400", .number(0)),
      ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
    ])
  func numbers(_ text: String, _ expected: JSON) throws {
    #expect(try read(text) == expected)
  }

  @Test("whole numbers may be written as others, when they are exact")
  func wholeNumbers() throws {
    #expect(try read("8.0").integer == 8)
    #expect(try read("8.5").integer == nil)
    #expect(try read("1e19").integer == nil)
    #expect(try read("\"8\"").integer == nil)
    #expect(try read("7").number == 7)
  }

  @Test(
    "escapes",
    arguments: [
      (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\u65E5""#, "é日"),
      (#""\ud83e\udd99""#, "🦙"), (#""\uD83E""#, "\u{FFFD}"), (#""\uDD99x""#, "\u{FFFD}x"),
      (#""\ud83e\u0041""#, "\u{FFFD}A"), (#""\u0000""#, "\u{0}"),
    ])
  func escapes(_ text: String, _ expected: String) throws {
    #expect(try read(text).string == expected)
  }

  static let wrong: [(String, String)] = [
    ("", "a value is missing at byte 0"), ("  ", "a value is missing at byte 2"),
    ("nul", "a value is misspelt at byte 3"), ("True", "a value is missing at byte 0"),
    ("[1,]", "a value is missing at byte 3"), ("[1", "a comma or a bracket is missing at byte 2"),
    ("[1 2]", "a comma or a bracket is missing at byte 3"), ("{,}", "a key is missing at byte 1"),
    ("{\"a\" 1}", "a colon is missing at byte 5"), ("{\"a\":}", "a value is missing at byte 5"),
    ("{\"a\":1,}", "a key is missing at byte 7"), ("{a:1}", "a key is missing at byte 1"),
    ("{\"a\":1,\"a\":2}", "'a' comes twice at byte 12"), ("1 2", "more text follows at byte 2"),
    ("\"a", "a string does not end at byte 2"), ("\"\\", "a string does not end at byte 2"),
    ("\"\\x\"", "an escape is unknown at byte 3"),
    ("\"\\u12\"", "an escape is incomplete at byte 5"),
    ("\"\\u+123\"", "an escape is incomplete at byte 3"),
    ("\"\\u 123\"", "an escape is incomplete at byte 3"),
    ("\"a\nb\"", "a string holds a control character at byte 3"),
    ("01", "a number begins with 0 at byte 2"), ("-01", "a number begins with 0 at byte 3"),
    ("-", "a digit is missing at byte 1"), ("+1", "a value is missing at byte 0"),
    ("1.", "a digit is missing at byte 2"), (".5", "a value is missing at byte 0"),
    ("1e", "a digit is missing at byte 2"), ("1e+", "a digit is missing at byte 3"),
    ("--1", "a digit is missing at byte 1"), ("1-2", "more text follows at byte 1"),
    ("0x10", "more text follows at byte 1"), ("NaN", "a value is missing at byte 0"),
    ("-Infinity", "a digit is missing at byte 1"), ("1e999", "'1e999' is not a number at byte 5"),
    ("'a'", "a value is missing at byte 0"), ("[1]//", "more text follows at byte 3"),
  ]

  @Test("what is no JSON is refused, with the place", arguments: wrong)
  func refused(_ text: String, _ expected: String) {
    #expect(message(Array(text.utf8)) == "'f.json' is not JSON: \(expected).")
  }

  @Test(
    "text that is no UTF-8 is refused", arguments: [[0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80]])
  func encoding(_ bytes: [UInt8]) {
    #expect(
      message([0x22] + bytes + [0x22])
        == "'f.json' is not JSON: a string is not UTF-8 at byte \(bytes.count + 2).")
  }

  @Test("64 levels are read, a million are refused without exhausting the stack")
  func depth() throws {
    func nested(_ depth: Int) -> [UInt8] {
      [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
    }
    #expect(message(nested(64)) == nil)
    #expect(message(nested(65)) == "'f.json' is not JSON: it is nested too deeply at byte 64.")
    #expect(
      message(nested(1_000_000)) == "'f.json' is not JSON: it is nested too deeply at byte 64.")
    let objects = String(repeating: "{\"a\":", count: 100_000)
    #expect(
      message(Array(objects.utf8)) == "'f.json' is not JSON: it is nested too deeply at byte 320.")
  }

  @Test("what is written is read back as the same value")
  func roundTrip() throws {
    let text = #"{"é\n\"\\":[1,-2.5,"\u0001🦙",{"a":null},[]],"t":true,"f":false,"big":1e+300}"#
    let value = try read(text)
    #expect(value.text == text)
    #expect(try read(value.text) == value)
  }

  @Test("random text is refused by a sentence, or read and written as the same value")
  func random() throws {
    var random = SeededGenerator.announced("JSONTests", salt: 1)
    let alphabet = Array("{}[]:,\"\\u0123eE+-.tfnrale \n\u{7f}é".utf8) + [0, 0xFF, 0x80]
    for index in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0..<24, using: &random)).map { _ in
        alphabet[Int.random(in: alphabet.indices, using: &random)]
      }
      if let sentence = message(bytes) {
        #expect(sentence.hasPrefix("'f.json' is not JSON: "), "case \(index): \(bytes)")
      } else {
        let value = try JSONReader.read(bytes, path: "f.json")
        #expect(try read(value.text) == value, "case \(index): \(bytes)")
      }
    }
  }
}
