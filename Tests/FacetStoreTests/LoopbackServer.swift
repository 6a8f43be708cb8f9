// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A web server on 127.0.0.1 that answers as a test wants, honestly or not.
///
/// One thread for each connection, one question for each connection. It ends with `stop`, or with
/// the process.
final class LoopbackServer: Sendable {
  struct Request: Sendable {
    /// The path and query as asked for.
    let target: String
    /// Header names in lower case.
    let headers: [String: String]
    var path: String { target.split(separator: "?").first.map { String($0) } ?? "" }
  }

  struct Reply: Sendable {
    var status = 200
    /// Content-Length is added unless it is here or `hasLength` is false.
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    var hasLength = true
    /// The connection is closed after so many bytes of the body.
    var dropsAfter: Int?
    /// A wait before the first byte, and between pieces of `pieceByteCount`.
    var delay: Duration?
    var pause: Duration?
    var pieceByteCount = 1 << 16
    /// Sends the body again and again.
    var isEndless = false

    /// A body without length or end, at most 64 MB/s of it.
    ///
    /// From a socket that always has more libcurl (7.88) reads on without coming back to the session's queue,
    /// where the end of the task waits. No network is as fast as that; memory is when the reader is slow.
    static func endless(_ body: [UInt8]) -> Reply {
      Reply(body: body, hasLength: false, pause: .milliseconds(1), isEndless: true)
    }

    static func text(_ text: String, status: Int = 200) -> Reply {
      Reply(status: status, body: [UInt8](text.utf8))
    }
  }

  private struct State {
    var requests: [Request] = []
    var bodyByteCount = 0
    var isStopped = false
  }

  let port: Int
  private let descriptor: Int32
  private let state = Mutex(State())
  private let answer: @Sendable (Request) -> Reply

  var address: String { "http://127.0.0.1:\(port)" }
  /// What was asked so far.
  var requests: [Request] { state.withLock { $0.requests } }
  /// Bytes of bodies that went out so far.
  var bodyByteCount: Int { state.withLock { $0.bodyByteCount } }

  /// Where a proxy is set, it is not for this machine.
  private static let isDirect: Bool = {
    let environment = ProcessInfo.processInfo.environment
    guard environment["http_proxy"] != nil || environment["all_proxy"] != nil else { return true }
    return unsafe setenv("no_proxy", "127.0.0.1", 1) == 0
  }()

  init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
    self.answer = answer
    guard Self.isDirect else { throw POSIXError(.EINVAL) }
    #if canImport(Darwin)
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #else
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    guard descriptor >= 0 else { throw POSIXError(.EMFILE) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let socket = descriptor
    let failed = unsafe withUnsafeMutablePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(socket, pointer, size) != 0 || listen(socket, 64) != 0
          || getsockname(socket, pointer, &size) != 0
      }
    }
    guard !failed else { throw POSIXError(.EADDRNOTAVAIL) }
    port = Int(UInt16(bigEndian: name.sin_port))
    Thread.detachNewThread { [self] in accept() }
  }

  func stop() {
    state.withLock { $0.isStopped = true }
    _ = shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }

  private func accept() {
    while true {
      #if canImport(Darwin)
        let connection = Darwin.accept(descriptor, nil, nil)
      #elseif canImport(Musl)
        let connection = Musl.accept(descriptor, nil, nil)
      #else
        let connection = Glibc.accept(descriptor, nil, nil)
      #endif
      if connection < 0 {
        if state.withLock({ $0.isStopped }) || errno != EINTR { return }
        continue
      }
      _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
      Thread.detachNewThread { [self] in
        if let request = read(connection) { reply(to: request, on: connection) }
        _ = shutdown(connection, Int32(SHUT_RDWR))
        close(connection)
      }
    }
  }

  private func read(_ connection: Int32) -> Request? {
    var bytes: [UInt8] = []
    let end = [UInt8]("\r\n\r\n".utf8)
    while bytes.suffix(4) != end[...] {
      var byte: UInt8 = 0
      guard unsafe recv(connection, &byte, 1, 0) == 1, bytes.count < 1 << 16 else { return nil }
      bytes.append(byte)
      if bytes[0] == 0x16 {
        // The start of a TLS handshake, answered as servers do that know nothing of it.
        _ = send([UInt8]("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)[...], connection)
        return nil
      }
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 3 else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let halves = line.split(separator: ":", maxSplits: 1)
      guard halves.count == 2 else { continue }
      headers[halves[0].lowercased()] = halves[1].trimmingCharacters(in: .whitespaces)
    }
    let request = Request(target: String(words[1]), headers: headers)
    state.withLock { $0.requests.append(request) }
    return request
  }

  private func reply(to request: Request, on connection: Int32) {
    let reply = answer(request)
    sleep(reply.delay)
    var head = "HTTP/1.1 \(reply.status) Answer\r\nConnection: close\r\n"
    if reply.hasLength, reply.headers["Content-Length"] == nil {
      head += "Content-Length: \(reply.body.count)\r\n"
    }
    for (name, value) in reply.headers { head += "\(name): \(value)\r\n" }
    guard send([UInt8]((head + "\r\n").utf8)[...], connection) else { return }
    let body = reply.body[..<min(reply.dropsAfter ?? reply.body.count, reply.body.count)]
    repeat {
      var rest = body
      while !rest.isEmpty {
        let piece = rest.prefix(reply.pieceByteCount)
        rest = rest.dropFirst(piece.count)
        guard send(piece, connection) else { return }
        state.withLock { $0.bodyByteCount += piece.count }
        sleep(reply.pause)
      }
    } while reply.isEndless && !state.withLock { $0.isStopped }
  }

  private func sleep(_ duration: Duration?) {
    guard let duration else { return }
    Thread.sleep(forTimeInterval: duration / .seconds(1))
  }

  private func send(_ bytes: ArraySlice<UInt8>, _ connection: Int32) -> Bool {
    #if canImport(Darwin)
      var on: Int32 = 1
      _ = unsafe setsockopt(
        connection, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
      let flags: Int32 = 0
    #else
      let flags = Int32(MSG_NOSIGNAL)
    #endif
    var rest = bytes
    while !rest.isEmpty {
      let sent = unsafe rest.withUnsafeBytes { bytes in
        #if canImport(Darwin)
          unsafe Darwin.send(connection, bytes.baseAddress, bytes.count, flags)
        #elseif canImport(Musl)
          unsafe Musl.send(connection, bytes.baseAddress, bytes.count, flags)
        #else
          unsafe Glibc.send(connection, bytes.baseAddress, bytes.count, flags)
        #endif
      }
      guard sent > 0 else { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }
}
