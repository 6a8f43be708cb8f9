// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A fixed set of threads that share out the chunks of one operation at a time: fork, join, done.
///
/// Chunks are taken one by one, so a thread that the system puts to sleep delays only the chunk it
/// holds. The split never depends on who takes a chunk, so results do not depend on timing. After an
/// operation the threads look out for the next one for some tens of microseconds and then sleep: an
/// idle pool costs nothing.
///
/// `@unchecked Sendable`: `job` is written by the one thread that holds `turn` and read only by
/// threads that own a chunk of that job, which the writer waits for.
@safe package final class WorkerPool: @unchecked Sendable {
  /// Threads that work on an operation, the calling one included.
  package let threadCount: Int

  private let shared = Shared()
  private var threads: [pthread_t] = []

  /// What the threads see.
  ///
  /// A class of its own, so that a sleeping thread does not keep the pool.
  @safe fileprivate final class Shared: @unchecked Sendable {
    /// Generation of the job (high half) and chunks nobody has taken yet (low half).
    let state = Atomic<UInt64>(0)
    /// Chunks not finished yet.
    let pending = Atomic<Int>(0)
    let sleepers = Atomic<Int>(0)
    let stopping = Atomic<Bool>(false)
    /// Held by whoever uses the pool.
    let turn: UnsafeMutablePointer<pthread_mutex_t>
    /// Guards sleep and wake.
    let mutex: UnsafeMutablePointer<pthread_mutex_t>
    let condition: UnsafeMutablePointer<pthread_cond_t>
    /// The job: what to do with (chunk, worker), and how many chunks it began with.
    var body: ((Int, Int) -> Void)?
    var chunkCount = 0

    init() {
      unsafe mutex = .allocate(capacity: 1)
      unsafe condition = .allocate(capacity: 1)
      unsafe turn = .allocate(capacity: 1)
      unsafe pthread_mutex_init(turn, nil)
      unsafe pthread_mutex_init(mutex, nil)
      unsafe pthread_cond_init(condition, nil)
    }

    deinit {
      unsafe pthread_mutex_destroy(turn)
      unsafe turn.deallocate()
      unsafe pthread_mutex_destroy(mutex)
      unsafe pthread_cond_destroy(condition)
      unsafe mutex.deallocate()
      unsafe condition.deallocate()
    }
  }

  fileprivate final class Start {
    let shared: Shared
    let worker: Int
    init(shared: Shared, worker: Int) {
      self.shared = shared
      self.worker = worker
    }
  }

  /// Starts `threadCount - 1` threads; the caller of ``run(chunks:_:)`` is the last one.
  package init(threadCount: Int) {
    precondition(threadCount >= 1, "WorkerPool of \(threadCount) threads")
    self.threadCount = threadCount
    for worker in 1..<max(threadCount, 1) {
      let start = unsafe Unmanaged.passRetained(Start(shared: shared, worker: worker))
      #if canImport(Darwin)
        var thread: pthread_t?
      #else
        var thread = pthread_t()
      #endif
      let status = unsafe pthread_create(&thread, nil, workerMain, start.toOpaque())
      guard status == 0 else {
        unsafe start.release()  // the system gives no more threads: go on with fewer
        break
      }
      #if canImport(Darwin)
        if let thread { threads.append(thread) }
      #else
        threads.append(thread)
      #endif
    }
  }

  deinit {
    shared.stopping.store(true, ordering: .sequentiallyConsistent)
    shared.wake()
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Takes the pool for one operation, which may `run` several times inside.
  package func exclusively(_ body: (Turn) -> Void) {
    unsafe pthread_mutex_lock(shared.turn)
    defer { unsafe pthread_mutex_unlock(shared.turn) }
    body(Turn(pool: self))
  }

  /// Runs `body(chunk, worker)` for every chunk in `0..<chunks` and returns when all are done.
  ///
  /// `worker` is below ``threadCount``; no two chunks run with the same worker at once.
  package func run(chunks: Int, _ body: (Int, Int) -> Void) {
    exclusively { turn in turn.run(chunks: chunks, body) }
  }

  /// The right to use the pool, while it lasts.
  package struct Turn {
    fileprivate let pool: WorkerPool

    /// As ``WorkerPool/run(chunks:_:)``.
    package func run(chunks: Int, _ body: (Int, Int) -> Void) {
      guard chunks > 1, pool.threadCount > 1 else {
        for chunk in 0..<max(chunks, 0) { body(chunk, 0) }
        return
      }
      withoutActuallyEscaping(body) { body in pool.shared.fork(chunks: chunks, body) }
    }
  }
}

extension WorkerPool.Shared {
  fileprivate func fork(chunks: Int, _ body: @escaping (Int, Int) -> Void) {
    self.body = body
    chunkCount = chunks
    pending.store(chunks, ordering: .relaxed)
    let generation = (state.load(ordering: .relaxed) >> 32) &+ 1
    state.store(generation << 32 | UInt64(chunks), ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
    takeChunks(worker: 0)
    var spins = 0
    while pending.load(ordering: .acquiring) > 0 {
      spins += 1
      if spins < 4096 { fk_relax() } else { sched_yield() }
    }
    self.body = nil
  }

  /// Takes chunks until none is left.
  ///
  /// Owning a chunk keeps its job alive.
  fileprivate func takeChunks(worker: Int) {
    while true {
      let seen = state.load(ordering: .acquiring)
      let left = seen & 0xffff_ffff
      if left == 0 { return }
      let (taken, _) = state.weakCompareExchange(
        expected: seen, desired: seen - 1, ordering: .acquiringAndReleasing)
      guard taken else { continue }
      body?(chunkCount - Int(left), worker)
      pending.subtract(1, ordering: .releasing)
    }
  }

  fileprivate func wake() {
    unsafe pthread_mutex_lock(mutex)
    unsafe pthread_cond_broadcast(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  fileprivate func work(as worker: Int) {
    let patience = 3000  // pauses; some tens of microseconds
    while !stopping.load(ordering: .acquiring) {
      takeChunks(worker: worker)
      var spins = 0
      while state.load(ordering: .acquiring) & 0xffff_ffff == 0, spins < patience {
        fk_relax()
        spins += 1
      }
      if spins == patience { sleep() }
    }
  }

  private func sleep() {
    unsafe pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while state.load(ordering: .sequentiallyConsistent) & 0xffff_ffff == 0,
      !stopping.load(ordering: .sequentiallyConsistent)
    {
      unsafe pthread_cond_wait(condition, mutex)
    }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    unsafe pthread_mutex_unlock(mutex)
  }

  fileprivate static func main(_ argument: UnsafeMutableRawPointer) {
    let start = unsafe Unmanaged<WorkerPool.Start>.fromOpaque(argument).takeRetainedValue()
    start.shared.work(as: start.worker)
  }
}

#if canImport(Darwin)
  private func workerMain(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    unsafe WorkerPool.Shared.main(argument)
    return nil
  }
#else
  private func workerMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument = unsafe argument { unsafe WorkerPool.Shared.main(argument) }
    return nil
  }
#endif
