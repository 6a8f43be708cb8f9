// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON
import Foundation

/// A file with rows of data: one object of JSON a line, a table with a line of names, lines of text, or
/// BOLD's prompts.
package struct DataFile: Sendable {
  /// One row and where it stands.
  package struct Row: Sendable {
    /// The row.
    package var json: JSON
    /// The file, as the user named it.
    package var path: String
    /// The line on which it begins, from 1.
    package var line: Int

    /// `error` with the place.
    func placing(_ error: EvaluationError) -> EvaluationError {
      EvaluationError(error.code, "\(path):\(line): \(error.message)")
    }
  }

  /// The rows that could be read.
  package private(set) var rows: [Row] = []
  /// What was wrong with the others.
  package private(set) var problems: [EvaluationError] = []

  /// Reads the file at `path`.
  package init(path: String) throws(EvaluationError) {
    let bytes = try Self.bytes(at: path)
    let name = path.split(separator: "/").last ?? ""
    if name.hasSuffix(".csv") {
      readTable(bytes, path)
    } else if name.hasSuffix(".json") {
      try readPrompts(bytes, path)
    } else if name.contains(".txt") {
      readText(bytes, path)
    } else {
      readLines(bytes, path)
    }
  }

  /// The bytes of a file.
  static func bytes(at path: String) throws(EvaluationError) -> [UInt8] {
    do { return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) } catch {
      throw EvaluationError(.unreadable, "'\(path)' cannot be read: \(error.localizedDescription)")
    }
  }

  private mutating func readLines(_ bytes: [UInt8], _ path: String) {
    var line = 0
    for part in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
      line += 1
      if part.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) { continue }
      do throws(JSONError) {
        let json = try JSONReader.read([UInt8](part), path: path)
        if json.object == nil { throw JSONError("a row must be an object.") }
        rows.append(Row(json: json, path: path, line: line))
      } catch {
        problems.append(EvaluationError(.invalidData, "\(path):\(line): \(error.message)"))
      }
    }
  }

  /// Each line that is not empty is a row with the field `text`.
  private mutating func readText(_ bytes: [UInt8], _ path: String) {
    for (place, part) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated()
    {
      let text = PythonText.strip(String(decoding: part, as: UTF8.self))
      var object = JSONObject()
      guard !text.isEmpty, object.append("text", .string(text)) else { continue }
      rows.append(Row(json: .object(object), path: path, line: place + 1))
    }
  }

  private mutating func readPrompts(_ bytes: [UInt8], _ path: String) throws(EvaluationError) {
    let json: JSON
    do { json = try JSONReader.read(bytes, path: path) } catch {
      throw EvaluationError(.invalidData, error.message)
    }
    for (place, row) in try BoldPrompts.rows(json, path: path).enumerated() {
      rows.append(Row(json: row, path: path, line: place + 1))
    }
  }

  private mutating func readTable(_ bytes: [UInt8], _ path: String) {
    var names: [String]?
    for (fields, line) in CommaSeparated.records(bytes) {
      guard let names else {
        names = fields
        continue
      }
      var object = JSONObject()
      let isWhole =
        fields.count == names.count
        && zip(names, fields).allSatisfy { object.append($0, .string($1)) }
      if isWhole {
        rows.append(Row(json: .object(object), path: path, line: line))
      } else {
        problems.append(
          EvaluationError(
            .invalidData,
            "\(path):\(line): The row has \(fields.count) fields, and the table \(names.count)."))
      }
    }
  }

  /// The files of a split: those in `folder` whose names are the first of `names` or begin with it, where
  /// any do, sorted.
  static func paths(in folder: String, splits names: [String]) throws(EvaluationError) -> [String] {
    guard let all = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw EvaluationError(
        .unreadable,
        "There is no data in '\(folder)'. Say with --data where the sets are: "
          + "docs/evaluation.md describes the layout.")
    }
    for name in names {
      let files = all.filter {
        $0 == name || $0.hasPrefix(name) && ($0.hasSuffix(".jsonl") || $0.hasSuffix(".csv"))
      }
      if !files.isEmpty { return files.sorted().map { "\(folder)/\($0)" } }
    }
    let wanted = names.map { "\($0)*.jsonl" }.joined(separator: " or ")
    throw EvaluationError(.unreadable, "'\(folder)' has no file \(wanted).")
  }
}

/// Tables of comma-separated values (RFC 4180).
enum CommaSeparated {
  /// The records, each with the line on which it begins.
  static func records(_ bytes: [UInt8]) -> [(fields: [String], line: Int)] {
    var records: [(fields: [String], line: Int)] = []
    var fields: [String] = []
    var field: [UInt8] = []
    var (line, begin) = (1, 1)
    var isQuoted = false
    var index = 0
    func endField() {
      fields.append(String(decoding: field, as: UTF8.self))
      field.removeAll(keepingCapacity: true)
    }
    func endRecord() {
      endField()
      if fields != [""] { records.append((fields, begin)) }
      fields.removeAll()
    }
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == 0x0a { line += 1 }
      switch byte {
      case 0x22 where isQuoted && index < bytes.count && bytes[index] == 0x22:
        field.append(byte)
        index += 1
      case 0x22: isQuoted.toggle()
      case 0x2c where !isQuoted: endField()
      case 0x0d where !isQuoted && index < bytes.count && bytes[index] == 0x0a: break
      case 0x0a where !isQuoted:
        endRecord()
        begin = line
      default: field.append(byte)
      }
    }
    if !field.isEmpty || !fields.isEmpty { endRecord() }
    return records
  }
}
