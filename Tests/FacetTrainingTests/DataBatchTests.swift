// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import FacetTraining
import Foundation
import Testing

@Suite("Batches")
struct DataBatchTests {
  /// Rows of many lengths, each with a text of its own.
  private func dataset(
    _ count: Int, maxLength: Int = 64, salt: UInt64 = 1
  ) throws -> Dataset {
    var generator = SeededGenerator.announced("batches", salt: salt)
    var text = ""
    for row in 0..<count {
      let words = (0..<Int.random(in: 0...12, using: &generator)).map { _ in "ab" }
      text += "{\"text\":\"\(row) \(words.joined(separator: " "))\"}\n"
    }
    return try DataFixture.read(
      DataFixture.file("rows.jsonl", text), DatasetOptions(maxLength: maxLength))
  }

  private func epoch(_ sampler: inout BatchSampler) -> [PackedBatch] {
    (0..<sampler.batchesPerEpoch).map { _ in sampler.next() }
  }

  @Test("each example comes once an epoch, whole, in batches of the size asked for")
  func epochs() throws {
    let dataset = try dataset(103)
    let all = Set((0..<dataset.count).map { dataset[$0] })
    var sampler = try BatchSampler(dataset, options: .init(batchSize: 8), seed: 5)
    #expect(sampler.batchesPerEpoch == 13)
    let first = epoch(&sampler)
    let second = epoch(&sampler)
    for batches in [first, second] {
      #expect(batches.map(\.examples.count) == [Int](repeating: 8, count: 12) + [7])
      #expect(batches.flatMap(\.examples).count == 103)
      #expect(Set(batches.flatMap(\.examples)) == all)
      #expect(batches.reduce(0) { $0 + $1.tokenCount } == dataset.tokenCount)
      #expect(batches.reduce(0) { $0 + $1.targetCount } == dataset.targetTokenCount)
    }
    #expect(first != second)
    var plain = try BatchSampler(
      dataset, options: .init(batchSize: 8, shuffles: false), seed: 5)
    #expect(epoch(&plain).flatMap(\.examples) == (0..<dataset.count).map { dataset[$0] })
  }

  @Test("packing loses no token, overfills no bin and leaves little room")
  func packing() throws {
    for (count, length, salt) in [(1, 64, 2), (300, 64, 3), (9000, 80, 4), (300, 65, 5)] {
      let dataset = try dataset(count, salt: UInt64(salt))
      var sampler = try BatchSampler(
        dataset, options: .init(batchSize: 1, packedLength: length), seed: 7)
      for _ in 0..<2 {
        let bins = epoch(&sampler)
        #expect(bins.allSatisfy { $0.tokenCount <= length && !$0.examples.isEmpty })
        #expect(bins.flatMap(\.examples).count == count)
        #expect(
          Set(bins.flatMap(\.examples).map(\.line)) == Set((0..<count).map { dataset[$0].line }))
        #expect(bins.reduce(0) { $0 + $1.tokenCount } == dataset.tokenCount)
        let needed = (dataset.tokenCount + length - 1) / length
        // Best-fit decreasing never takes more than 11/9 of the bins that are needed, and one.
        #expect(bins.count <= needed * 11 / 9 + 4)
      }
      var pairs = try BatchSampler(
        dataset, options: .init(batchSize: 2, packedLength: length), seed: 7)
      #expect(pairs.batchesPerEpoch == (sampler.batchesPerEpoch + 1) / 2)
      #expect(epoch(&pairs).allSatisfy { $0.tokenCount <= 2 * length })
    }
  }

  @Test("rows are packed as a plain best-fit-decreasing packs them")
  func againstReference() throws {
    let dataset = try dataset(500, salt: 6)
    var sampler = try BatchSampler(
      dataset, options: .init(batchSize: 1, packedLength: 90, shuffles: false), seed: 0)
    let lengths = (0..<dataset.count).map { dataset.length(of: $0) }
    var rooms: [Int] = []
    for length in lengths.sorted(by: >) {
      let best = rooms.indices.filter { rooms[$0] >= length }.min { rooms[$0] < rooms[$1] }
      if let best { rooms[best] -= length } else { rooms.append(90 - length) }
    }
    #expect(epoch(&sampler).map { 90 - $0.tokenCount }.sorted() == rooms.sorted())
  }

  @Test(
    "a sampler that resumes goes on with exactly the next batch",
    arguments: [nil, 70] as [Int?])
  func resume(_ packedLength: Int?) throws {
    let dataset = try dataset(60, salt: 8)
    let options = BatchSampler.Options(batchSize: 3, packedLength: packedLength)
    var sampler = try BatchSampler(dataset, options: options, seed: 99)
    var states: [BatchSampler.State] = []
    var batches: [PackedBatch] = []
    for _ in 0..<3 * sampler.batchesPerEpoch + 2 {
      let data = try JSONEncoder().encode(sampler.state)
      states.append(try JSONDecoder().decode(BatchSampler.State.self, from: data))
      batches.append(sampler.next())
    }
    for (index, state) in states.enumerated() {
      var resumed = try BatchSampler(dataset, options: options, resuming: state)
      for later in index..<min(index + 4, batches.count) {
        #expect(resumed.next() == batches[later])
      }
    }
  }

  @Test("nobody resumes with other data or other batches")
  func resumeElsewhere() throws {
    let dataset = try dataset(20, salt: 9)
    let other = try self.dataset(20, salt: 10)
    let state = try BatchSampler(dataset, options: .init(batchSize: 2), seed: 1).state
    let message =
      "The data, or how they are put into batches, are not those that the run began with. Give the "
      + "same files and settings, or begin a new run."
    for (data, options) in [
      (other, BatchSampler.Options(batchSize: 2)), (dataset, BatchSampler.Options(batchSize: 3)),
      (try dataset.split(.count(5), seed: 1).training, BatchSampler.Options(batchSize: 2)),
    ] {
      #expect(throws: TrainingError(.mismatchedModel, message)) {
        try BatchSampler(data, options: options, resuming: state)
      }
    }
  }

  @Test("batches that cannot be made are refused")
  func refusals() throws {
    let dataset = try dataset(20, salt: 11)
    #expect(
      throws: TrainingError(.invalidSetting, "The batch size is 0; it must be at least 1.")
    ) { try BatchSampler(dataset, options: .init(batchSize: 0), seed: 1) }
    let longest = dataset.statistics.longest
    #expect(
      throws: TrainingError(
        .invalidSetting,
        "The longest example has \(longest) tokens and does not go into packed rows of 3. Raise the "
          + "packing length, or lower the maximum length.")
    ) { try BatchSampler(dataset, options: .init(packedLength: 3), seed: 1) }
  }

  @Test("a validation set is drawn by seed and shares no row with what is trained on")
  func validation() throws {
    let dataset = try dataset(50, salt: 12)
    let (training, held) = try dataset.split(.fraction(0.1), seed: 3)
    let validation = try #require(held)
    func lines(_ dataset: Dataset) -> [Int] { (0..<dataset.count).map { dataset[$0].line } }
    #expect(validation.count == 5 && training.count == 45)
    #expect(lines(training) == lines(training).sorted())
    #expect(Set(lines(training)).union(lines(validation)) == Set(1...50))
    let again = try #require(try dataset.split(.fraction(0.1), seed: 3).validation)
    let other = try #require(try dataset.split(.count(5), seed: 4).validation)
    #expect(lines(again) == lines(validation))
    #expect(lines(other) != lines(validation))
    #expect(try dataset.split(.none, seed: 1).validation == nil)
    #expect(
      throws: TrainingError(
        .invalidSetting,
        "The validation fraction is 1.5; it must lie between 0 and 1, such as 0.1.")
    ) { try dataset.split(.fraction(1.5), seed: 1) }
    #expect(
      throws: TrainingError(
        .invalidSetting,
        "50 of 50 examples would be held back for validation; hold back at least one and leave at "
          + "least one.")
    ) { try dataset.split(.count(50), seed: 1) }
  }

  @Test("lengths are counted in bins that double")
  func histogram() throws {
    let dataset = try dataset(200, salt: 13)
    let statistics = dataset.statistics
    #expect(statistics.lengths.reduce(0) { $0 + $1.rows } == 200)
    #expect(statistics.lengths.map(\.from) == [1, 17])
    #expect(statistics.lengths.map(\.through) == [16, 32])
    for bin in statistics.lengths {
      let expected = (0..<dataset.count).count {
        (bin.from...bin.through).contains(dataset.length(of: $0))
      }
      #expect(bin.rows == expected)
    }
  }
}
