// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// The rows of one file, whatever its form: JSONL, a JSON array, CSV or TSV, each packed or not.
struct RowReader {
  private enum Form {
    case lines(LineReader)
    case elements(JSONElementReader)
    case table(CSVReader)
  }

  private let path: String
  private let stream: DataStream
  private var form: Form

  /// Opens the file at `path`; its name decides what it is, and for `.json` its first character.
  init(_ path: String) throws(TrainingError) {
    self.path = path
    stream = try DataStream(path)
    let name = DataStream.plainName(path).lowercased()
    if name.hasSuffix(".csv") || name.hasSuffix(".tsv") {
      let separator = UInt8(ascii: name.hasSuffix(".csv") ? "," : "\t")
      form = .table(try CSVReader(stream, path: path, separator: separator))
    } else if name.hasSuffix(".json") {
      var beginning = try stream.next() ?? []
      if beginning.starts(with: [0xEF, 0xBB, 0xBF]) { beginning.removeFirst(3) }
      let first = beginning.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
      form =
        first == UInt8(ascii: "[")
        ? .elements(JSONElementReader(stream, path: path, beginning: beginning))
        : .lines(LineReader(stream, path: path, beginning: beginning))
    } else if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
      form = .lines(LineReader(stream, path: path))
    } else {
      throw TrainingError(
        .unreadable,
        "'\(path)' is of no known form; give a file that ends in .jsonl, .json, .csv or .tsv, with or "
          + "without .gz, or a directory with train.jsonl.")
    }
  }

  /// Bytes read so far.
  var byteCount: Int { stream.byteCount }

  /// The next row, or what is wrong with it; nil after the last.
  ///
  /// Throws when nothing further can be read.
  mutating func next() throws(TrainingError) -> Result<DataRow, TrainingError>? {
    switch form {
    case .lines(var reader):
      // One owner at a time, so that the buffer is not copied.
      form = .lines(LineReader(stream, path: path))
      defer { form = .lines(reader) }
      while let line = try reader.next() {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
        return Self.parse(line, RowPlace(file: path, number: reader.number))
      }
      return nil
    case .elements(var reader):
      form = .lines(LineReader(stream, path: path))
      defer { form = .elements(reader) }
      guard let element = try reader.next() else { return nil }
      return Self.parse(element, RowPlace(file: path, number: reader.number, unit: .row))
    case .table(var reader):
      form = .lines(LineReader(stream, path: path))
      defer { form = .table(reader) }
      guard let record = try reader.next() else { return nil }
      return Self.parse(record, reader.header, RowPlace(file: path, number: record.line))
    }
  }

  private static func parse(_ text: [UInt8], _ place: RowPlace) -> Result<DataRow, TrainingError> {
    let value: JSON
    do { value = try JSONReader.read(text, path: "") } catch {
      // The reader's sentence names a file; here the row is named.
      let reason = error.message.split(separator: "is not JSON: ", maxSplits: 1).last ?? ""
      return .failure(place.invalid("is not JSON: \(reason)"))
    }
    guard let object = value.object else {
      return .failure(place.invalid("is no JSON object with the fields of a row."))
    }
    var fields: [String: JSON] = [:]
    for member in object.members { fields[member.key] = member.value }
    return .success(DataRow(place: place, fields: fields))
  }

  private static func parse(
    _ record: CSVReader.Record, _ header: [String], _ place: RowPlace
  ) -> Result<DataRow, TrainingError> {
    if let problem = record.problem { return .failure(place.invalid(problem)) }
    guard record.cells.count == header.count else {
      return .failure(
        place.invalid("has \(record.cells.count) cells, but the header has \(header.count)."))
    }
    var fields: [String: JSON] = [:]
    for (name, cell) in zip(header, record.cells) {
      guard let text = String(validating: cell, as: UTF8.self) else {
        return .failure(place.invalid("has a '\(name)' that is not UTF-8."))
      }
      fields[name] = .string(text)
    }
    return .success(DataRow(place: place, fields: fields))
  }
}
