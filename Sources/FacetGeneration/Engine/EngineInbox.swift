// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Synchronization

/// Where requests wait, between those who ask and the engine's thread; and the figures about both.
final class EngineInbox: Sendable {
  private struct State {
    var waiting: [EngineRequest] = []
    var status: EngineStatus
    /// Whether the thread has nothing to do.
    var isIdle = true
    var isClosed = false
    var isAborted = false
    var bell: AsyncStream<Void>.Continuation?
    /// Those who wait for the thread to have nothing to do.
    var watchers: [CheckedContinuation<Void, Never>] = []
  }

  private let options: Engine.Options
  private let state: Mutex<State>

  init(_ options: Engine.Options) {
    self.options = options
    state = Mutex(State(status: EngineStatus(places: options.sequences)))
  }

  // MARK: Those who ask

  /// Puts a request at the end of the queue, or refuses it.
  func submit(_ request: EngineRequest) throws(GenerationError) {
    let refusal = state.withLock { state -> GenerationError? in
      if state.isClosed {
        state.status.refused += 1
        return GenerationError(
          .shutDown, "The engine is shutting down and takes no more requests. Ask another one.")
      }
      let most = options.sequences + options.queueLimit
      guard state.waiting.count + state.status.running < most else {
        state.status.refused += 1
        return GenerationError(
          .queueFull,
          "The engine works on \(state.status.running) requests and \(state.waiting.count) wait, which "
            + "is as many as it takes. Try again later.")
      }
      state.waiting.append(request)
      state.isIdle = false
      state.bell?.yield()
      return nil
    }
    if let refusal { throw refusal }
  }

  var status: EngineStatus {
    state.withLock { state in
      var status = state.status
      status.waiting = state.waiting.count
      return status
    }
  }

  // MARK: Whoever holds the engine

  /// Names the bell that wakes the thread.
  func attach(_ bell: AsyncStream<Void>.Continuation) {
    state.withLock { $0.bell = bell }
  }

  /// Lets the thread go once it has nothing to do.
  func detach() {
    state.withLock { state in
      state.isClosed = true
      state.bell?.finish()
    }
  }

  /// Refuses requests from now on.
  func close() { state.withLock { $0.isClosed = true } }

  /// Ends everything that was taken.
  func abort() { state.withLock { $0.isAborted = true } }

  /// Returns when the thread has nothing to do.
  func untilIdle() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if !state.isIdle { state.watchers.append(continuation) }
        return state.isIdle
      }
      if isIdle { continuation.resume() }
    }
  }

  // MARK: The thread

  /// Takes at most `places` of the requests that have waited longest, and all that nobody waits for any
  /// more.
  func next(_ places: Int) -> (requests: [EngineRequest], gone: [EngineRequest]) {
    state.withLock { state in
      if state.isAborted {
        defer { state.waiting = [] }
        return ([], state.waiting)
      }
      let gone = state.waiting.filter(\.cancellation.isCancelled)
      if !gone.isEmpty { state.waiting.removeAll(where: \.cancellation.isCancelled) }
      let requests = Array(state.waiting.prefix(places))
      state.waiting.removeFirst(requests.count)
      state.status.running += requests.count
      return (requests, gone)
    }
  }

  /// Whether everything is to end now.
  var isAborted: Bool { state.withLock(\.isAborted) }

  /// Changes the figures.
  func note(_ change: (inout EngineStatus) -> Void) {
    state.withLock { change(&$0.status) }
  }

  /// Notes that nothing is left to do; false when something came in.
  func rest() -> Bool {
    let watchers = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
      guard state.waiting.isEmpty else { return nil }
      state.isIdle = true
      defer { state.watchers = [] }
      return state.watchers
    }
    watchers?.forEach { $0.resume() }
    return watchers != nil
  }
}
