// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Synchronization
import Testing

@Suite("WorkerPool")
struct WorkerPoolTests {
  @Test("every chunk runs exactly once", arguments: [1, 2, 3, 8])
  func everyChunkOnce(_ threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    for chunks in [0, 1, 2, 7, 100, 1000] {
      let counts = Mutex([Int](repeating: 0, count: chunks))
      pool.run(chunks: chunks) { chunk, worker in
        precondition(worker >= 0 && worker < threads)
        counts.withLock { $0[chunk] += 1 }
      }
      #expect(counts.withLock { $0 } == [Int](repeating: 1, count: chunks))
    }
  }

  @Test("thousands of small jobs, with pauses in which the threads go to sleep")
  func manyJobs() async throws {
    let pool = WorkerPool(threadCount: 3)
    let sum = Atomic<Int>(0)
    for job in 0..<3000 {
      if job % 1000 == 0 { try await Task.sleep(for: .milliseconds(5)) }
      pool.run(chunks: 4) { chunk, _ in sum.add(chunk, ordering: .relaxed) }
    }
    #expect(sum.load(ordering: .relaxed) == 3000 * 6)
  }

  private final class Counts: Sendable {
    let inside = Atomic<Int>(0)
    let overlaps = Atomic<Int>(0)
  }

  @Test("two owners take turns")
  func twoOwners() async {
    let pool = WorkerPool(threadCount: 2)
    let counts = Counts()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<200 {
            pool.exclusively { turn in
              if counts.inside.add(1, ordering: .relaxed).newValue != 1 {
                counts.overlaps.add(1, ordering: .relaxed)
              }
              turn.run(chunks: 3) { _, _ in }
              counts.inside.subtract(1, ordering: .relaxed)
            }
          }
        }
      }
    }
    #expect(counts.overlaps.load(ordering: .relaxed) == 0)
  }

  @Test("a pool that is let go ends its threads")
  func ends() {
    for _ in 0..<50 { _ = WorkerPool(threadCount: 4) }
  }
}
