// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// One question and its answer.
///
/// The session's queue calls, one call after the other. The answer is over when everything has come,
/// when something is wrong with it, when it is a redirect (the caller decides what goes along to the
/// next server), when the server is silent for too long, or when the task is cancelled: whichever
/// comes first. What the session says later is not heard, and neither is it waited for, because on
/// Linux some answers have no end (a 401 with a challenge).
final class HTTPExchange: Sendable {
  private struct State {
    var waiting: CheckedContinuation<URL?, any Error>?
    var task: URLSessionDataTask?
    var result: Result<URL?, any Error>?
    var hasHead = false
    var lastSign = ContinuousClock.now
  }

  private let state = Mutex(State())
  private let head: @Sendable (HTTPHead) throws -> Void
  private let body: @Sendable (Data) throws -> Void

  init(
    head: @escaping @Sendable (HTTPHead) throws -> Void,
    body: @escaping @Sendable (Data) throws -> Void
  ) {
    self.head = head
    self.body = body
  }

  /// Asks, and returns when the answer is over: nil, or the address of a redirect.
  func run(_ request: URLRequest, timeout: Duration) async throws -> URL? {
    let task = HTTPSession.begin(request, for: self)
    let watch = Task { try await endSilence(timeout) }
    defer { watch.cancel() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waiting in
        let early = state.withLock { state in
          if state.result == nil { (state.waiting, state.task) = (waiting, task) }
          return state.result
        }
        if let early { waiting.resume(with: early) } else { task.resume() }
      }
    } onCancel: {
      finish(.failure(CancellationError()))
    }
  }

  private func endSilence(_ timeout: Duration) async throws {
    while true {
      try await Task.sleep(for: timeout / 8)
      let silence = ContinuousClock.now - state.withLock { $0.lastSign }
      if silence > timeout {
        finish(.failure(HTTPFailure(.dropped, "it did not answer in time")))
      }
    }
  }

  /// Ends the exchange unless it has ended.
  private func finish(_ result: Result<URL?, any Error>, isComplete: Bool = false) {
    let (waiting, task) = state.withLock { state in
      defer { (state.waiting, state.task) = (nil, nil) }
      state.result = state.result ?? result
      return (state.waiting, state.task)
    }
    if let task { HTTPSession.end(task, isComplete: isComplete) }
    waiting?.resume(with: result)
  }

  /// Notes a sign of life; false when the exchange is over.
  private func isListening() -> Bool {
    state.withLock { state in
      state.lastSign = .now
      return state.result == nil
    }
  }

  // MARK: What the session says

  func redirect(_ target: URL?) {
    guard let target else {
      return finish(.failure(HTTPFailure(.refused, "it redirects to no address")))
    }
    finish(.success(target))
  }

  func receive(_ response: URLResponse) {
    guard isListening() else { return }
    do {
      guard let response = response as? HTTPURLResponse else {
        throw HTTPFailure(.refused, "it does not speak HTTP")
      }
      state.withLock { $0.hasHead = true }
      try head(HTTPHead(response))
    } catch {
      finish(.failure(error))
    }
  }

  func receive(_ data: Data) {
    guard isListening() else { return }
    do {
      try body(data)
    } catch {
      finish(.failure(error))
    }
  }

  func complete(_ error: (any Error)?) {
    if let error {
      return finish(.failure(HTTPFailure(error as NSError)), isComplete: true)
    }
    // A redirect without an address has no head that the session shows.
    let hasHead = state.withLock { $0.hasHead }
    let failure = HTTPFailure(.refused, "it redirects to no address")
    finish(hasHead ? .success(nil) : .failure(failure), isComplete: true)
  }
}

extension HTTPFailure {
  /// What the system's network says, in words of ours.
  package init(_ error: NSError) {
    switch URLError.Code(rawValue: error.code) {
    case .cannotFindHost, .dnsLookupFailed:
      self.init(.unreachable, "its name could not be looked up")
    case .cannotConnectToHost, .notConnectedToInternet:
      self.init(.unreachable, "no connection could be made")
    case .timedOut:
      self.init(.dropped, "it did not answer in time")
    case .secureConnectionFailed, .serverCertificateHasBadDate, .serverCertificateUntrusted,
      .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid,
      .clientCertificateRejected, .clientCertificateRequired:
      self = Self.insecure
    default:
      // On Linux what is wrong with a secure connection has no code, only words.
      let words = [
        "certificate", "wrong version number", "handshake failure", "unsupported protocol",
      ]
      let isInsecure = words.contains(where: error.localizedDescription.contains)
      self = isInsecure ? Self.insecure : HTTPFailure(.dropped, "the connection was dropped")
    }
  }

  private static let insecure = HTTPFailure(
    .refused, "the secure connection failed (certificates, clock or proxy)")
}
