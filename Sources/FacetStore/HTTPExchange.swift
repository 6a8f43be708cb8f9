// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// One question and its answer, on a session of its own.
///
/// The session calls from a queue of its own, one call after the other. Redirects are not followed
/// here: the caller decides what goes along to the next server.
final class HTTPExchange: NSObject, URLSessionDataDelegate {
  private struct State {
    var waiting: CheckedContinuation<URL?, any Error>?
    var task: URLSessionDataTask?
    var isCancelled = false
    var failure: (any Error)?
    var redirect: URL?
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

  /// Asks, and returns when the answer has ended: nil, or the address of a redirect.
  func run(_ request: URLRequest, _ configuration: URLSessionConfiguration) async throws -> URL? {
    let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
    defer { session.finishTasksAndInvalidate() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waiting in
        start(session.dataTask(with: request), waiting)
      }
    } onCancel: {
      let task = state.withLock { state in
        state.isCancelled = true
        return state.task
      }
      task?.cancel()
    }
  }

  private func start(_ task: URLSessionDataTask, _ waiting: CheckedContinuation<URL?, any Error>) {
    let isCancelled = state.withLock { state in
      if !state.isCancelled { (state.waiting, state.task) = (waiting, task) }
      return state.isCancelled
    }
    if isCancelled {
      task.cancel()
      waiting.resume(throwing: CancellationError())
    } else {
      task.resume()
    }
  }

  /// Remembers the first thing that went wrong.
  private func fail(_ error: any Error) {
    state.withLock { state in state.failure = state.failure ?? error }
  }

  private var isOver: Bool {
    state.withLock { $0.failure != nil || $0.redirect != nil || $0.isCancelled }
  }

  // MARK: What the session says

  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    state.withLock { $0.redirect = request.url }
    completionHandler(nil)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    if isOver { return completionHandler(.cancel) }
    do {
      guard let response = response as? HTTPURLResponse else {
        throw HTTPFailure(.refused, "it does not speak HTTP")
      }
      try head(HTTPHead(response))
      completionHandler(.allow)
    } catch {
      fail(error)
      completionHandler(.cancel)
    }
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    if isOver { return }
    do {
      try body(data)
    } catch {
      fail(error)
      dataTask.cancel()
    }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    let (waiting, result) = state.withLock { state in
      let waiting = state.waiting
      state.waiting = nil
      state.task = nil
      return (waiting, outcome(state, error))
    }
    waiting?.resume(with: result)
  }

  private func outcome(_ state: State, _ error: (any Error)?) -> Result<URL?, any Error> {
    if state.isCancelled { return .failure(CancellationError()) }
    if let failure = state.failure { return .failure(failure) }
    if let redirect = state.redirect { return .success(redirect) }
    guard let error else { return .success(nil) }
    return .failure(HTTPFailure(error as NSError))
  }
}

extension HTTPFailure {
  /// What the system's network says, in words of ours.
  init(_ error: NSError) {
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
      self.init(.refused, "the secure connection failed (certificates, clock or proxy)")
    default:
      self.init(.dropped, "the connection was dropped")
    }
  }
}
