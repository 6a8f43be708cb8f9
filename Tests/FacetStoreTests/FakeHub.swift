// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetStore
import Foundation
import Synchronization

/// A server that answers as the Hugging Face Hub does about one repository, `owner/model`, and
/// misbehaves where a test says so.
final class FakeHub: Sendable {
  /// What to do with one question; the next one about the same file goes on in the list.
  enum Behaviour: Sendable {
    case honest
    /// Closes the connection after so many bytes of the body.
    case drop(after: Int)
    /// Answers with the whole file whatever part was asked for.
    case ignoreRange
    /// Flips a bit of the byte at this place of the file.
    case flip(at: Int)
    /// Announces so many bytes more (or fewer) than it has.
    case lieAboutLength(Int)
    /// Answers a question for a part with the part that begins so many bytes later.
    case shiftRange(Int)
    case status(Int, [String: String])
    case redirect(String)
    case tag(String)
    case wait(Duration)
    /// Waits so long after every 64 KiB.
    case pause(Duration)
    case reply(LoopbackServer.Reply)
  }

  struct File: Sendable {
    var bytes: [UInt8]
    /// Listed with its SHA-256, as large files are; otherwise with git's name for it, if given.
    var isLarge = true
    var gitSHA1: String?
    var hasSize = true
    /// What the list says its SHA-256 is, when that is not the truth.
    var listedSHA256: String?
  }

  static let commit = "0123456789abcdef0123456789abcdef01234567"

  private struct State {
    var files: [String: File]
    var behaviours: [String: [Behaviour]] = [:]
    var card = #"{"license":"gemma"}"#
    var page: Behaviour?
    var pause: Duration?
  }

  private let state: Mutex<State>
  private let server = Mutex<LoopbackServer?>(nil)

  init(_ files: [String: File]) throws {
    state = Mutex(State(files: files))
    let made = try LoopbackServer { [weak self] request in
      self?.answer(request) ?? .text("gone", status: 500)
    }
    server.withLock { $0 = made }
  }

  deinit { server.withLock { $0?.stop() } }

  var address: String { server.withLock { $0?.address ?? "" } }
  var requests: [LoopbackServer.Request] { server.withLock { $0?.requests ?? [] } }
  var bodyByteCount: Int { server.withLock { $0?.bodyByteCount ?? 0 } }

  /// What was asked about `file`.
  func requests(about file: String) -> [LoopbackServer.Request] {
    requests.filter { $0.path.hasSuffix("/\(file)") }
  }

  /// Lets the next questions about `file` be answered so; then honestly again.
  func behave(_ behaviours: Behaviour..., about file: String) {
    state.withLock { $0.behaviours[file] = behaviours }
  }

  /// Lets every question about `file` be answered so.
  func always(_ behaviour: Behaviour, about file: String) {
    state.withLock { $0.behaviours[file] = Array(repeating: behaviour, count: 1000) }
  }

  /// What the list of files says instead.
  func page(_ behaviour: Behaviour) { state.withLock { $0.page = behaviour } }
  func card(_ card: String) { state.withLock { $0.card = card } }
  func replace(_ name: String, with file: File?) { state.withLock { $0.files[name] = file } }
  /// A wait after every 64 KiB.
  func pause(_ pause: Duration?) { state.withLock { $0.pause = pause } }

  private func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Reply {
    let prefix = "/owner/model/resolve/\(Self.commit)/"
    return state.withLock { state in
      if request.path.hasPrefix("/api/models/owner/model/revision/") {
        let honest = LoopbackServer.Reply.text(Self.page(state))
        return state.page.map { Self.apply($0, honest, [], request) } ?? honest
      }
      guard request.path.hasPrefix(prefix),
        case let name = String(request.path.dropFirst(prefix.count)), let file = state.files[name]
      else {
        return LoopbackServer.Reply(status: 404, headers: ["X-Error-Code": "EntryNotFound"])
      }
      var behaviour = Behaviour.honest
      if let next = state.behaviours[name]?.first {
        behaviour = next
        state.behaviours[name]?.removeFirst()
      }
      var honest = Self.part(of: file.bytes, request)
      honest.pause = state.pause
      return Self.apply(behaviour, honest, file.bytes, request)
    }
  }

  private static func page(_ state: State) -> String {
    let siblings = state.files.sorted { $0.key < $1.key }.map { name, file in
      var fields = [#""rfilename":"\#(name)""#]
      if file.hasSize { fields.append(#""size":\#(file.bytes.count)"#) }
      if file.isLarge {
        let sha256 = file.listedSHA256 ?? SHA256.hex(file.bytes)
        fields.append(#""lfs":{"sha256":"\#(sha256)","size":\#(file.bytes.count)}"#)
      }
      if let gitSHA1 = file.gitSHA1 { fields.append(#""blobId":"\#(gitSHA1)""#) }
      return "{\(fields.joined(separator: ","))}"
    }
    return #"{"id":"owner/model","sha":"\#(commit)","cardData":\#(state.card),"siblings":["#
      + siblings.joined(separator: ",") + "]}"
  }

  /// The whole file, or the part that was asked for.
  private static func part(
    of bytes: [UInt8], _ request: LoopbackServer.Request, shift: Int = 0
  ) -> LoopbackServer.Reply {
    let tag = "\"\(SHA256.hex(bytes).prefix(16))\""
    let isSame = request.headers["if-range"].map { $0 == tag } ?? true
    guard isSame, let range = request.headers["range"], range.hasPrefix("bytes=") else {
      return LoopbackServer.Reply(headers: ["ETag": tag], body: bytes)
    }
    let ends = range.dropFirst(6).split(separator: "-").compactMap { Int($0) }
    guard let first = ends.first.map({ $0 + shift }), first < bytes.count else {
      return LoopbackServer.Reply(status: 416)
    }
    let last = min(ends.count > 1 ? ends[1] : bytes.count - 1, bytes.count - 1)
    return LoopbackServer.Reply(
      status: 206,
      headers: ["ETag": tag, "Content-Range": "bytes \(first)-\(last)/\(bytes.count)"],
      body: first <= last ? Array(bytes[first...last]) : [])
  }

  private static func apply(
    _ behaviour: Behaviour, _ honest: LoopbackServer.Reply, _ bytes: [UInt8],
    _ request: LoopbackServer.Request
  ) -> LoopbackServer.Reply {
    var reply = honest
    switch behaviour {
    case .honest: break
    case .drop(let count): reply.dropsAfter = count
    case .ignoreRange:
      reply.status = 200
      reply.headers["Content-Range"] = nil
      reply.body = bytes
    case .flip(let place):
      let first = honest.headers["Content-Range"].flatMap { range in
        range.dropFirst(6).split(separator: "-").first.flatMap { Int($0) }
      }
      let index = place - (first ?? 0)
      if reply.body.indices.contains(index) { reply.body[index] ^= 1 }
    case .lieAboutLength(let more):
      reply.headers["Content-Length"] = "\(reply.body.count + more)"
    case .shiftRange(let shift): reply = part(of: bytes, request, shift: shift)
    case .status(let status, let headers):
      reply = LoopbackServer.Reply(status: status, headers: headers)
    case .redirect(let address):
      reply = LoopbackServer.Reply(status: 302, headers: ["Location": address])
    case .tag(let tag): reply.headers["ETag"] = tag
    case .wait(let delay): reply.delay = delay
    case .pause(let pause): reply.pause = pause
    case .reply(let other): reply = other
    }
    return reply
  }
}
