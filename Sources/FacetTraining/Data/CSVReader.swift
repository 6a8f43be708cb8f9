// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The records of a CSV file (RFC 4180): commas, cells in double quotes where they hold commas, quotes
/// or line ends, and a header.
struct CSVReader {
  private let stream: DataStream
  private let path: String
  private let separator: UInt8
  private var buffer: [UInt8] = []
  private var position = 0
  /// The line that is being read, from 1.
  private var line = 1
  /// The names of the columns.
  private(set) var header: [String] = []

  /// A record and the line that it begins on.
  struct Record {
    var line: Int
    var cells: [[UInt8]]
    /// What is wrong with it: the sentence goes on after its place.
    var problem: String?
  }

  init(_ stream: DataStream, path: String, separator: UInt8) throws(TrainingError) {
    self.stream = stream
    self.path = path
    self.separator = separator
    buffer = try stream.next() ?? []
    // What some programs put in front of a table.
    if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { buffer.removeFirst(3) }
    let first = try next()
    guard let first else { return }
    let place = RowPlace(file: path, number: first.line)
    header = first.cells.map { String(decoding: $0, as: UTF8.self) }
    if let problem = first.problem {
      throw TrainingError(.invalidData, "\(place), the header, \(problem) Mend it.")
    }
    for (index, name) in header.enumerated() where header[..<index].contains(name) {
      throw TrainingError(
        .invalidData, "\(place), the header, names the column '\(name)' twice. Rename one of them.")
    }
  }

  /// The next record that is no empty line; nil after the last.
  mutating func next() throws(TrainingError) -> Record? {
    while true {
      guard try peek() != nil else { return nil }
      var record = Record(line: line, cells: [])
      let isEmpty = try read(&record)
      if !isEmpty { return record }
    }
  }

  /// Reads a record; true when it was an empty line.
  private mutating func read(_ record: inout Record) throws(TrainingError) -> Bool {
    while true {
      var cell: [UInt8] = []
      let isQuoted = try peek() == UInt8(ascii: "\"")
      if isQuoted { try readQuoted(&cell, &record) }
      var goesOn = false
      loop: while let byte = try byte() {
        switch byte {
        case separator:
          goesOn = true
          break loop
        case 0x0A: break loop
        case 0x0D where try peek() == 0x0A: continue
        case _ where isQuoted:
          record.problem = record.problem ?? "has text after a closing quote."
        default:
          cell.append(byte)
          guard cell.count <= LineReader.lineByteLimit else { throw endless(record) }
        }
      }
      record.cells.append(cell)
      if !goesOn { return record.cells.count == 1 && cell.isEmpty && !isQuoted }
    }
  }

  private mutating func readQuoted(
    _ cell: inout [UInt8], _ record: inout Record
  ) throws(TrainingError) {
    _ = try byte()
    while let next = try byte() {
      if next == UInt8(ascii: "\"") {
        guard try peek() == UInt8(ascii: "\"") else { return }
        _ = try byte()
      }
      cell.append(next)
      guard cell.count <= LineReader.lineByteLimit else { throw endless(record) }
    }
    record.problem = "has a quote that does not close."
  }

  private mutating func byte() throws(TrainingError) -> UInt8? {
    guard let byte = try peek() else { return nil }
    position += 1
    if byte == 0x0A { line += 1 }
    return byte
  }

  private mutating func peek() throws(TrainingError) -> UInt8? {
    while position == buffer.count {
      guard let piece = try stream.next() else { return nil }
      buffer = piece
      position = 0
    }
    return buffer[position]
  }

  private func endless(_ record: Record) -> TrainingError {
    TrainingError(
      .invalidData,
      "Line \(record.line) of '\(path)' begins a cell of more than \(LineReader.lineByteLimit) bytes; a "
        + "quote is not closed. Mend it.")
  }
}
