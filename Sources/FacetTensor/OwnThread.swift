// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Dispatch

/// A place for computations of seconds or hours: a thread of their own, so that the threads which all
/// asynchronous code shares stay free.
///
/// `Task(executorPreference: OwnThread())` runs there; cancelling the task works as everywhere.
public final class OwnThread: TaskExecutor {
  private let queue = DispatchQueue(label: "facet", qos: .userInitiated)

  /// A thread that exists while there is work for it.
  public init() {}

  /// Runs `job` after those before it.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = unsafe asUnownedTaskExecutor()
    queue.async { unsafe job.runSynchronously(on: executor) }
  }
}
