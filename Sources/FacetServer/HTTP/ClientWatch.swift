// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import NIOCore
import Synchronization

/// Notices when a client closes its connection, so that its answer can be stopped.
///
/// One for each connection. A client that has closed its sending half is taken to be gone, as nearly all
/// HTTP servers do.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = NIOAny

  private struct State {
    var isGone = false
    var next = 0
    var actions: [Int: @Sendable () -> Void] = [:]
  }
  private let state = Mutex(State())

  /// Whether the client is gone.
  var isGone: Bool { state.withLock { $0.isGone } }

  /// Runs `action` when the client goes, at once if it has gone; returns what ``forget(_:)`` takes.
  func whenGone(_ action: @escaping @Sendable () -> Void) -> Int? {
    let key: Int? = state.withLock { state in
      guard !state.isGone else { return nil }
      state.next += 1
      state.actions[state.next] = action
      return state.next
    }
    if key == nil { action() }
    return key
  }

  /// The action is no longer wanted.
  func forget(_ key: Int?) {
    guard let key else { return }
    state.withLock { $0.actions[key] = nil }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { leave() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  private func leave() {
    let actions = state.withLock { state in
      state.isGone = true
      defer { state.actions.removeAll() }
      return state.actions.values.map { $0 }
    }
    for action in actions { action() }
  }
}

extension Optional<ClientWatch> {
  /// Runs `body`, cancelled when the client goes.
  func whileConnected<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = Task { try await body() }
    let key = self?.whenGone { task.cancel() } ?? nil
    defer { self?.forget(key) }
    return try await withTaskCancellationHandler {
      do {
        return try await task.value
      } catch is CancellationError where self?.isGone == true {
        throw ServerError(.clientGone, "The client went away.")
      }
    } onCancel: {
      task.cancel()
    }
  }
}
