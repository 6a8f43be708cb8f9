// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

extension Dataset {
  /// Reads files of rows in one pass and turns them into tokens.
  ///
  /// - Parameters:
  ///   - paths: JSONL, JSON, CSV or TSV files, each packed with gzip or not.
  ///   - options: What becomes of their rows.
  ///   - tokenizer: The model's tokenizer.
  ///   - chatFormat: The model's chat format; nil for a base model.
  ///   - onProgress: Told now and then how many rows and bytes have been read; may throw to stop.
  public init(
    reading paths: [String], options: DatasetOptions, tokenizer: Tokenizer,
    chatFormat: ChatFormat?, onProgress: (_ rows: Int, _ bytes: Int) throws -> Void = { _, _ in }
  ) throws {
    try options.validate()
    var builder = DatasetBuilder(
      encoder: RowEncoder(tokenizer: tokenizer, chatFormat: chatFormat, options: options))
    for path in paths {
      var reader = try RowReader(path)
      while let row = try reader.next() {
        try builder.add(row)
        if builder.statistics.rows % 1024 == 0 {
          try onProgress(builder.statistics.rows, reader.byteCount)
        }
      }
    }
    self = try builder.finish(paths)
  }
}

/// Gathers rows into a dataset.
private struct DatasetBuilder {
  let encoder: RowEncoder
  var statistics = DatasetStatistics()
  private var store = ExampleStore()
  private var hashes: Set<UInt64> = []

  init(encoder: RowEncoder) { self.encoder = encoder }

  private var options: DatasetOptions { encoder.options }

  mutating func add(_ row: Result<DataRow, TrainingError>) throws(TrainingError) {
    statistics.rows += 1
    let place: RowPlace
    var encoded: RowEncoder.Encoded
    do throws(TrainingError) {
      let row = try row.get()
      place = row.place
      encoded = try encoder.encode(TrainingRow(row, options), place)
    } catch {
      guard error.code == .invalidData, options.skipInvalid else { throw error }
      statistics.dropped.invalid += 1
      statistics.note(error)
      return
    }
    statistics.count(length: encoded.tokens.count)
    guard let cut = try fit(&encoded, place) else { return }
    guard encoded.isTarget.contains(true) else { return try dropUntrained(place, cut: cut) }
    if cut > 0 { statistics.truncated += 1 }
    let hash = ExampleStore.hash(encoded)
    if !hashes.insert(hash).inserted { statistics.duplicates += 1 }
    statistics.examples += 1
    statistics.tokens += encoded.tokens.count
    statistics.targetTokens += encoded.isTarget.count { $0 }
    store.append(encoded, place, hash: hash)
  }

  /// Brings a row within the limit; returns how many tokens were cut off, nil when it is left out.
  private mutating func fit(
    _ encoded: inout RowEncoder.Encoded, _ place: RowPlace
  ) throws(TrainingError) -> Int? {
    let count = encoded.tokens.count
    guard let limit = options.maxLength, count > limit else { return 0 }
    switch options.overlong {
    case .drop:
      statistics.dropped.overlong += 1
      return nil
    case .truncate:
      encoded.tokens.removeLast(count - limit)
      encoded.isTarget.removeLast(count - limit)
      return count - limit
    case .error:
      throw TrainingError(
        .invalidData,
        "\(place) has \(count) tokens, and the maximum length is \(limit). Raise it (max_length), or "
          + "have such rows left out or cut (overlong: drop or truncate).")
    }
  }

  private mutating func dropUntrained(_ place: RowPlace, cut: Int) throws(TrainingError) {
    let reason =
      cut > 0
      ? "has no trained token left after \(cut) tokens were cut off its end; raise the maximum length "
        + "(max_length)."
      : encoder.options.assistantOnly
        ? "has no trained token: the assistant says nothing in it."
        : "has no trained token: it is empty."
    let problem = place.invalid(reason)
    guard options.skipInvalid else { throw problem }
    statistics.dropped.untrained += 1
    statistics.note(problem)
  }

  func finish(_ paths: [String]) throws(TrainingError) -> Dataset {
    guard store.count > 0 else {
      let files = paths.map { "'\($0)'" }.joined(separator: ", ")
      let dropped = statistics.dropped
      let reason =
        statistics.rows == 0
        ? "There are no rows in \(files). Give a file with rows."
        : "None of the \(statistics.rows) rows of \(files) can be trained on: \(dropped.overlong) are "
          + "too long, \(dropped.invalid) are invalid, \(dropped.untrained) have no trained token. "
          + (statistics.problems.first ?? "Raise the maximum length (max_length).")
      throw TrainingError(.invalidData, reason)
    }
    return Dataset(store, rows: Array(0..<store.count), statistics: statistics)
  }
}
