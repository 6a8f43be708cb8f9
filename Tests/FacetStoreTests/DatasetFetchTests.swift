// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetJSON
import FacetStore
import Foundation
import Synchronization
import Testing

/// Against a server that answers as the Hub's API and its rows interface do, and misbehaves where a test
/// says so.
@Suite("Sets of data from the Hub")
struct DatasetFetchTests {
  /// How the server differs from an honest one.
  struct Faults: Sendable {
    /// Questions for rows after which it answers with 500.
    var answers = Int.max
    /// Replaces text in the answer about rows.
    var replace = ("", "")
    /// The status of the answer about the set.
    var status = 200
  }

  let library: Library
  let commit = "0123456789abcdef0123456789abcdef01234567"

  init() throws { library = try Library() }

  /// A set `owner/set` whose split `test` has 250 rows.
  private func server(_ faults: Faults = Faults()) throws -> LoopbackServer {
    let asked = Mutex(0)
    return try LoopbackServer { [commit] request in
      if request.path == "/api/datasets/owner/set/revision/main" {
        return .text(
          #"{"sha":"\#(commit)","siblings":[],"cardData":{"license":["cc-by-sa-4.0"]}}"#,
          status: faults.status)
      }
      let number = asked.withLock { count in
        count += 1
        return count
      }
      guard request.path == "/rows", number <= faults.answers else {
        return .text("broken", status: 500)
      }
      let query = URLComponents(string: "http://x" + request.target)?.queryItems ?? []
      let values = Dictionary(uniqueKeysWithValues: query.map { ($0.name, $0.value ?? "") })
      guard values["dataset"] == "owner/set", values["config"] == "plain",
        values["split"] == "test", let start = Int(values["offset"] ?? ""),
        let length = Int(values["length"] ?? "")
      else { return .text("{}", status: 404) }
      let rows = (start..<min(250, start + length)).map {
        #"{"row_idx":\#($0),"row":{"q":"What is \#($0)\n½?","n":1.5,"l":["a"]},"truncated_cells":[]}"#
      }
      let text = #"{"rows":[\#(rows.joined(separator: ","))],"num_rows_total":250,"partial":false}"#
      return .text(
        faults.replace.0.isEmpty
          ? text : text.replacingOccurrences(of: faults.replace.0, with: faults.replace.1))
    }
  }

  private func client(
    _ server: LoopbackServer, token: String? = nil, rows: LoopbackServer? = nil
  ) throws -> DatasetClient {
    let reference = HubReference(owner: "owner", repository: "set", selector: nil)
    let settings = try Library.settings(server.address, token: token) { $0.patience.attempts = 2 }
    return DatasetClient(
      DatasetClient.Reference(reference, configuration: "plain"), settings: settings,
      rowsEndpoint: (rows ?? server).address)
  }

  private func fetch(_ server: LoopbackServer) async throws -> DatasetFetch.File {
    let client = try client(server)
    return try await DatasetFetch(client, client.describe(), into: library.path("set"))
      .fetch("test")
  }

  /// The message with which a fetch from `server` fails.
  private func failure(_ server: LoopbackServer) async -> String? {
    let error = await #expect(throws: StoreError.self) { try await fetch(server) }
    return error?.message
  }

  private func lines() throws -> [Substring] {
    try String(contentsOfFile: library.path("set/test.jsonl"), encoding: .utf8)
      .split(separator: "\n")
  }

  @Test("all rows come, each a line in its order, with their source beside them")
  func whole() async throws {
    let server = try server()
    defer { server.stop() }
    let file = try await fetch(server)
    let lines = try lines()
    #expect(lines.count == 250 && file.rows == 250 && !file.wasThere)
    #expect(lines[249] == #"{"q":"What is 249\n½?","n":1.5,"l":["a"]}"#)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: library.path("set/test.jsonl")))
    #expect(file.sha256 == SHA256.hex([UInt8](bytes)))
    let source = try JSONReader.read(
      [UInt8](Data(contentsOf: URL(fileURLWithPath: library.path("set/SOURCE.json")))),
      path: "SOURCE.json")
    #expect(source["dataset"]?.string == "owner/set" && source["configuration"]?.string == "plain")
    #expect(source["revision"]?.string == commit && source["licence"]?.string == "cc-by-sa-4.0")
    #expect(source["files"]?.array?.first?["sha256"]?.string == file.sha256)
    let again = try await fetch(server)
    #expect(again.wasThere && again.sha256 == file.sha256)
  }

  @Test("a fetch that was cut off goes on behind what it has, and half a line is no line")
  func resumption() async throws {
    let broken = try server(Faults(answers: 2))
    #expect(
      await failure(broken)
        == "\(broken.address) answers with status 500. Fetch again later: what has arrived is kept."
    )
    broken.stop()
    #expect(!FileManager.default.fileExists(atPath: library.path("set/test.jsonl")))
    let partial = library.path("set/test.jsonl.0123456789ab.partial")
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: partial))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(#"{"q":"What"#.utf8))
    try handle.close()
    let server = try server()
    defer { server.stop() }
    let file = try await fetch(server)
    let asked = server.requests.filter { $0.path == "/rows" }
    #expect(asked.count == 1 && asked[0].target.contains("offset=200"))
    #expect(file.rows == 250)
    #expect(try lines().count == 250)
  }

  @Test("a file that was changed, or was never fetched, is not touched")
  func present() async throws {
    let server = try server()
    defer { server.stop() }
    _ = try await fetch(server)
    let path = library.path("set/test.jsonl")
    try Data("{}\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect(
      await failure(server)
        == "'\(path)' was changed since it was fetched. Remove it to fetch it again, or its line of "
        + "'\(library.path("set"))/SOURCE.json' to keep it.")
    try FileManager.default.removeItem(atPath: library.path("set/SOURCE.json"))
    #expect(
      await failure(server)
        == "'\(path)' is there already, and was not fetched. Move it away first.")
    #expect(try lines() == ["{}"])
  }

  @Test("what is not the whole set is refused, with what to do instead")
  func refusals() async throws {
    let instead = "and put it into the folder as JSON lines or CSV."
    for (from, to, message) in [
      (
        #""partial":false"#, #""partial":true"#,
        "The Hub's rows interface has only a part of 'test' of 'owner/set'. Get the set from "
          + "PAGE \(instead)"
      ),
      (
        #""row_idx":3,"row":{"q":"What is 3\n½?","n":1.5,"l":["a"]},"truncated_cells":[]"#,
        #""row_idx":3,"row":{"q":"What"},"truncated_cells":["q"]"#,
        "Row 3 of 'test' of 'owner/set' is longer than the Hub's rows interface gives. Get the set from "
          + "PAGE \(instead)"
      ),
      (
        #""row_idx":5"#, #""row_idx":6"#,
        "Row 5 of 'test' of 'owner/set' is not what was asked for. Fetch again later."
      ),
      (
        "num_rows_total", "rows_total",
        "ADDRESS did not answer about 'test' of 'owner/set' as the Hub's rows interface does."
      ),
    ] {
      let server = try server(Faults(replace: (from, to)))
      defer { server.stop() }
      let expected = message.replacingOccurrences(
        of: "PAGE", with: "\(server.address)/datasets/owner/set"
      ).replacingOccurrences(of: "ADDRESS", with: server.address)
      #expect(await failure(server) == expected)
      #expect(!FileManager.default.fileExists(atPath: library.path("set/test.jsonl")))
    }
  }

  @Test("the token goes to the Hub that was named, not to another server of rows")
  func token() async throws {
    let (hub, other) = (try server(), try server())
    defer {
      hub.stop()
      other.stop()
    }
    for (name, rows) in [("own", nil), ("other", other)] {
      let client = try client(hub, token: "hf_x", rows: rows)
      _ = try await DatasetFetch(client, client.describe(), into: library.path(name)).fetch("test")
    }
    #expect(hub.requests.count == 5)
    #expect(hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer hf_x" })
    #expect(other.requests.count == 3)
    #expect(other.requests.allSatisfy { $0.headers["authorization"] == nil })
  }

  @Test("a set that is not there is said to be no data set")
  func missing() async throws {
    let server = try server(Faults(status: 404))
    defer { server.stop() }
    let message = await failure(server)
    #expect(message?.contains("has no dataset 'owner/set', or it is private.") == true)
  }
}
