// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTokenizer

/// The engine's thread: decides what the next step reads, and takes it.
final class EngineScheduler {
  /// Tokens of one place in a step, and the positions after which something is asked.
  private struct Part {
    var place: EnginePlace
    var sequence: CachedSequence
    var count: Int
    var asked: Range<Int>
  }

  private let model: LanguageModel
  private let options: Engine.Options
  private let context: Int
  private let inbox: EngineInbox
  private let shelf: PrefixShelf
  private let workspace = Workspace()
  /// In the order in which they came.
  private var places: [EnginePlace] = []

  init(_ model: LanguageModel, options: Engine.Options, context: Int, inbox: EngineInbox) {
    self.model = model
    self.options = options
    self.context = context
    self.inbox = inbox
    shelf = PrefixShelf(
      model.transformer, capacity: context, byteLimit: options.prefixByteCount)
  }

  /// Works until nothing is left to do.
  func run() {
    repeat {
      repeat {
        admit()
        dropCancelled()
        if !places.isEmpty { step() }
      } while !places.isEmpty
    } while !inbox.rest()
  }

  // MARK: Coming and going

  /// Gives free places to those who have waited longest.
  private func admit() {
    let (requests, gone) = inbox.next(options.sequences - places.count)
    for request in gone {
      request.fail(CancellationError())
      inbox.note { $0.finished[.cancelled, default: 0] += 1 }
    }
    for request in requests {
      do {
        let place = try EnginePlace(request, model: model, context: context)
        if place.unread.isEmpty, let score = place.work as? EngineScore {
          end(place, score.complete())
        } else {
          places.append(place)
        }
      } catch {
        request.fail(error)
        note(EngineReport(outcome: .failed), of: nil)
      }
    }
  }

  /// Ends what nobody waits for any more.
  private func dropCancelled() {
    let everything = inbox.isAborted
    for place in places where everything || place.request.cancellation.isCancelled {
      end(place, place.work.cancel())
    }
  }

  private func end(_ place: EnginePlace, _ report: EngineReport) {
    places.removeAll { $0 === place }
    if let sequence = place.sequence { shelf.keep(sequence) }
    note(report, of: place)
  }

  private func note(_ report: EngineReport, of place: EnginePlace?) {
    inbox.note { status in
      status.running -= 1
      status.finished[report.outcome, default: 0] += 1
      status.generatedTokens += report.generatedTokens
      status.promptTokens += place?.request.tokens.count ?? 0
      status.cachedTokens += place?.cachedCount ?? 0
    }
  }

  // MARK: A step

  /// One pass through the model, and what its logits bring.
  private func step() {
    let parts = parts()
    guard !parts.isEmpty else { return }
    var tokens: [TokenID] = []
    var rows: [Int] = []
    for part in parts {
      part.sequence.prepare(adding: part.count)
      let begin = part.sequence.tokens.count
      rows += part.asked.map { tokens.count + $0 - begin }
      tokens += part.place.unread.prefix(part.count)
    }
    let batch = Batch(
      tokens,
      sequences: parts.map {
        Batch.Sequence(
          cache: $0.sequence.cache, count: $0.count, adapters: $0.sequence.adapters)
      }, logits: .rows(rows))
    do {
      let logits = try model.transformer.forward(batch, workspace: workspace)
      for part in parts { part.place.advance(by: part.count) }
      take(logits, parts.filter { !$0.asked.isEmpty })
    } catch {
      for part in parts { end(part.place, part.place.work.fail(error)) }
    }
    noteStep()
  }

  private func noteStep() {
    let running = places.compactMap(\.sequence)
    let reading = places.count { $0.isReading }
    let tokens = (running + shelf.kept).reduce(0) { $0 + $1.tokens.count }
    let bytes = running.reduce(shelf.byteCount) { $0 + $1.byteCount }
    inbox.note { status in
      status.steps += 1
      status.reading = reading
      status.keptPrefixes = shelf.kept.count
      status.cacheTokens = tokens
      status.cacheBytes = bytes
      status.peakCacheBytes = max(status.peakCacheBytes, bytes)
    }
  }

  /// What the next pass reads: the next tokens of all answers, and as much of the prompts that came first
  /// as a chunk holds.
  private func parts() -> [Part] {
    var parts: [Part] = []
    var budget = options.chunk
    for place in places where !place.isReading {
      guard let sequence = place.sequence else { continue }
      // Tokens that a guide forces count as tokens of a prompt do.
      let count = min(sequence.room(for: place.unread.count), max(1, budget))
      budget -= count - 1
      parts.append(part(place, sequence, count))
    }
    for place in places where place.isReading && budget > 0 {
      if awaitsAnother(place) { continue }
      guard let sequence = sequence(of: place) else { continue }
      let wanted = min(budget, place.work.mostTokens, place.unread.count)
      let count = sequence.room(for: wanted)
      budget -= count
      parts.append(part(place, sequence, count))
    }
    return parts
  }

  private func part(_ place: EnginePlace, _ sequence: CachedSequence, _ count: Int) -> Part {
    let begin = sequence.tokens.count
    let asked = place.work.asked(
      in: begin..<begin + count, isLast: count == place.unread.count)
    return Part(place: place, sequence: sequence, count: count, asked: asked)
  }

  /// Whether a place before this one is still reading what both begin with: it is then not read twice.
  private func awaitsAnother(_ place: EnginePlace) -> Bool {
    guard place.sequence == nil else { return false }
    let beginning = place.request.tokens.prefix(place.mostCached)
    for other in places.prefix(while: { $0 !== place }) where other.isReading {
      guard let sequence = other.sequence else { continue }
      let done = sequence.tokens.count
      guard beginning.count >= done + PrefixShelf.leastCommon,
        other.unread.starts(
          with: beginning.dropFirst(done).prefix(PrefixShelf.leastCommon)),
        sequence.common(with: beginning, place.request.adapters) == done
      else { continue }
      sequence.anchor(at: zip(other.request.tokens, beginning).prefix { $0 == $1 }.count)
      return true
    }
    return false
  }

  /// The cache of a place whose turn it is; nil when it failed.
  private func sequence(of place: EnginePlace) -> CachedSequence? {
    if let sequence = place.sequence { return sequence }
    do {
      let sequence = try shelf.sequence(
        for: place.request.tokens, place.request.adapters, most: place.mostCached,
        running: places.compactMap(\.sequence))
      place.begin(in: sequence)
      return sequence
    } catch {
      end(place, place.work.fail(error))
      return nil
    }
  }

  /// Gives every place its rows of the logits, on all threads, and ends those that are done.
  private func take(_ logits: Tensor, _ parts: [Part]) {
    var rows: [Range<Int>] = []
    for part in parts {
      let begin = rows.last?.upperBound ?? 0
      rows.append(begin..<begin + part.asked.count)
    }
    model.backend.share(parts.count) { index in
      let part = parts[index]
      part.place.result = Result {
        try part.place.work.take(logits.rows(rows[index]), after: part.asked)
      }
    }
    for place in parts.map(\.place) {
      switch place.result {
      case .success(.read(let tokens)): place.unread += tokens
      case .success(.end(let report)): end(place, report)
      case .failure(let error): end(place, place.work.fail(error))
      case nil: break
      }
      place.result = nil
    }
  }
}
