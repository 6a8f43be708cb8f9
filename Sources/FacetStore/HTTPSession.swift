// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Dispatch
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// The one session of the process, and which exchange each of its tasks belongs to.
///
/// One, and never ended: on Linux, sessions that come and go beside each other lose answers and have
/// ended processes while they were taken apart
/// (https://github.com/swiftlang/swift-corelibs-foundation/issues/4791).
final class HTTPSession: NSObject, URLSessionDataDelegate {
  private static let listener = HTTPSession()
  private static let session = URLSession(
    configuration: configuration, delegate: listener, delegateQueue: nil)

  private let exchanges = Mutex<[Int: HTTPExchange]>([:])

  private static var configuration: URLSessionConfiguration {
    let configuration = URLSessionConfiguration.ephemeral
    configuration.urlCache = nil
    configuration.urlCredentialStorage = nil
    configuration.httpCookieStorage = nil
    configuration.httpShouldSetCookies = false
    return configuration
  }

  /// Makes a task, to be resumed, that speaks to `exchange`.
  static func begin(_ request: URLRequest, for exchange: HTTPExchange) -> URLSessionDataTask {
    let task = session.dataTask(with: request)
    listener.exchanges.withLock { $0[task.taskIdentifier] = exchange }
    return task
  }

  /// Hears no more of the task, and closes its connection unless it is complete.
  ///
  /// From another queue: on Linux, one that the session waits for must not wait for the session
  /// (https://github.com/swiftlang/swift-corelibs-foundation/issues/5412). There it also waits for as long as
  /// the connection always has more to read: libcurl does not come back to the session before.
  static func end(_ task: URLSessionDataTask, isComplete: Bool) {
    listener.exchanges.withLock { $0[task.taskIdentifier] = nil }
    if !isComplete { DispatchQueue.global().async { task.cancel() } }
  }

  private func exchange(_ task: URLSessionTask) -> HTTPExchange? {
    exchanges.withLock { $0[task.taskIdentifier] }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    // Ends the task. The handler is never called: on Linux that ends the process when the task was
    // cancelled meanwhile.
    exchange(task)?.redirect(request.url)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    let exchange = exchange(dataTask)
    exchange?.receive(response)
    completionHandler(exchange == nil ? .cancel : .allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    exchange(dataTask)?.receive(data)
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    exchange(task)?.complete(error)
  }
}
