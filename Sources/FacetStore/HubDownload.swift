// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Synchronization

/// Brings one file of a commit into the staging directory, whole and checked.
struct HubDownload: Sendable {
  let hub: HubClient
  let file: HubFile
  let url: URL
  let expected: Int
  let path: String
  let meter: PullMeter

  func run() async throws -> FetchedFile {
    var partial = try PartialFile(path, expected: expected)
    defer { partial.close() }
    let hadBytes = partial.byteCount > 0
    if hadBytes, !isChecked, partial.tag == nil { try partial.restart(tag: nil) }
    meter.set(file.name, partial.byteCount)
    try await fill(partial)
    if try !isRight(partial) {
      try partial.discard()
      // What an earlier try left may have been damaged since: once more from the start.
      guard hadBytes else { throw hub.damaged(file.name) }
      partial = try PartialFile(path, expected: expected)
      try await fill(partial)
      guard try isRight(partial) else {
        try partial.discard()
        throw hub.damaged(file.name)
      }
    }
    meter.set(file.name, expected, isLast: true)
    return FetchedFile(
      name: file.name, byteCount: expected, sha256: partial.sha256(), path: path)
  }

  /// Whether the source names a checksum.
  private var isChecked: Bool { file.sha256 != nil || file.gitSHA1 != nil }

  private func isRight(_ partial: PartialFile) throws -> Bool {
    if let sha256 = file.sha256 { return partial.sha256() == sha256 }
    if let gitSHA1 = file.gitSHA1 { return try partial.gitSHA1() == gitSHA1 }
    return true
  }

  /// Asks until all bytes are here; tries that bring some do not use up patience.
  private func fill(_ partial: PartialFile) async throws {
    while partial.byteCount < expected {
      try await hub.patiently(about: file.name, progress: { partial.byteCount }) {
        try await segment(of: partial)
      }
    }
  }

  /// Asks for the next segment: an answer that ends early is one that was dropped.
  private func segment(of partial: PartialFile) async throws {
    let first = partial.byteCount
    let last = min(expected, first + hub.settings.segmentByteCount) - 1
    var request = HTTPRequest(url, token: hub.settings.sendableToken)
    if first > 0 || last + 1 < expected {
      request.headers["Range"] = "bytes=\(first)-\(last)"
      if first > 0, let tag = partial.tag { request.headers["If-Range"] = tag }
    }
    let (meter, file) = (meter, file)
    do {
      try await hub.http.send(request) { head in
        try begin(partial, head, asked: first)
      } body: { data in
        meter.set(file.name, try partial.append(data))
      }
    } catch is PartialFile.TooLong {
      try partial.restart(tag: nil)
      throw hub.wrongLength(file.name, expected: expected, announced: nil)
    }
    guard partial.byteCount > last else {
      throw HTTPFailure(.dropped, "the connection was dropped")
    }
  }

  /// Looks at the head of an answer and makes ready for its body.
  private func begin(_ partial: PartialFile, _ head: HTTPHead, asked first: Int) throws {
    switch head.status {
    case 200:
      if let length = head.contentLength, length != expected {
        throw hub.wrongLength(file.name, expected: expected, announced: length)
      }
      // Either this is the start, or the server does not give parts, or the file has changed.
      try partial.restart(tag: head.strongTag)
    case 206:
      guard let range = head.contentRange, range.first == first else {
        throw hub.wrongRange(file.name)
      }
      if let total = range.total, total != expected {
        throw hub.wrongLength(file.name, expected: expected, announced: total)
      }
      if first == 0 {
        try partial.restart(tag: head.strongTag)
      } else if let kept = partial.tag, let tag = head.strongTag, kept != tag {
        try partial.restart(tag: nil)
        throw HTTPFailure(.dropped, "the file changed meanwhile")
      }
    case 416:
      try partial.restart(tag: nil)
      throw HTTPFailure(.dropped, "the file changed meanwhile")
    default:
      throw HubRefusal(head)
    }
  }
}
