// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetStore
import Foundation
import Testing

/// Pulls from a server of our own that answers as the Hub does.
@Suite("Pulling from the Hub")
struct HubPullTests {
  let library: Library
  let name = "hf:owner/model"

  init() throws { library = try Library() }

  /// A model in one large file and two small ones.
  static func model(_ byteCount: Int = 300_000) -> [String: FakeHub.File] {
    [
      "config.json": FakeHub.File(
        bytes: [UInt8]("hello\n".utf8), isLarge: false,
        gitSHA1: "ce013625030ba8dba906f756967f9e9ca394464a"),
      "model.safetensors": FakeHub.File(bytes: noise(byteCount, seed: 1)),
      "tokenizer.json": FakeHub.File(bytes: noise(70_001, seed: 2)),
      "README.md": FakeHub.File(bytes: [1], isLarge: false),
      "pytorch_model.bin": FakeHub.File(bytes: [2]),
    ]
  }

  private func bytes(_ model: StoredModel, _ file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(model.path)/\(file)")))
  }

  @Test("a repository becomes a directory of exactly the model's files, with licence and commit")
  func wholeModel() async throws {
    let hub = try FakeHub(Self.model())
    let store = try library.store(hub)
    let model = try await store.pull(name, progress: library.note)
    #expect(model.name == name)
    #expect(model.source == "hf:owner/model@\(FakeHub.commit)")
    #expect(model.licence == .gemma)
    #expect(model.files.map(\.name) == ["config.json", "model.safetensors", "tokenizer.json"])
    for file in model.files {
      #expect(try bytes(model, file.name) == Self.model()[file.name]?.bytes)
    }
    #expect(try store.find(name)?.digest == model.digest)
    #expect(try store.locate(name) == model.path)
    #expect(library.files.filter { $0.hasPrefix("partial/") } == [])
    #expect(hub.requests.allSatisfy { $0.headers["authorization"] == nil })
    #expect(hub.requests.first?.target == "/api/models/owner/model/revision/main?blobs=true")
    #expect(hub.requests.allSatisfy { $0.headers["accept-encoding"] == "identity" })
    #expect(hub.requests.count == 4)
  }

  @Test("progress runs through the phases and ends at the sum of the files")
  func progress() async throws {
    let hub = try FakeHub(Self.model())
    try await library.store(hub).pull(name, progress: library.note)
    let phases = library.events.map(\.phase)
    #expect(phases.first == .resolving)
    #expect(phases.last == .finished)
    let last = library.events.last { $0.phase == .downloading }
    #expect(last?.byteCount == 370_007)
    #expect(last?.totalByteCount == 370_007)
    #expect(library.events.first { $0.phase == .licence }?.licence == .gemma)
  }

  @Test("a second pull asks only for what has no checksum in the list, and changes nothing")
  func again() async throws {
    let hub = try FakeHub(Self.model())
    let store = try library.store(hub)
    let first = try await store.pull(name)
    let second = try await store.pull(name)
    #expect(second.digest == first.digest)
    #expect(hub.requests(about: "model.safetensors").count == 1)
    #expect(hub.requests(about: "config.json").count == 2)
  }

  @Test(
    "a connection dropped at any byte is taken up there",
    arguments: [0, 1, 63, 65_536, 65_537, 299_999])
  func dropped(_ count: Int) async throws {
    let hub = try FakeHub(Self.model())
    hub.behave(.drop(after: count), .drop(after: 7), about: "model.safetensors")
    let model = try await library.store(hub).pull(name)
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
    let ranges = hub.requests(about: "model.safetensors").map { $0.headers["range"] ?? "all" }
    let second = count == 0 ? "all" : "bytes=\(count)-299999"
    if count == 299_999 {
      #expect(ranges == ["all", second])
    } else {
      #expect(ranges == ["all", second, "bytes=\(count + 7)-299999"])
    }
  }

  @Test("a connection that drops again and again is fine as long as bytes come")
  func manyDrops() async throws {
    let hub = try FakeHub(Self.model())
    hub.always(.drop(after: 20_000), about: "model.safetensors")
    let model = try await library.store(hub).pull(name)
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
    #expect(hub.requests(about: "model.safetensors").count == 15)
  }

  @Test("large files are asked for in segments")
  func segments() async throws {
    let hub = try FakeHub(Self.model())
    let model = try await library.store(hub) { $0.segmentByteCount = 130_000 }.pull(name)
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
    #expect(
      hub.requests(about: "model.safetensors").map { $0.headers["range"] } == [
        "bytes=0-129999", "bytes=130000-259999", "bytes=260000-299999",
      ])
  }

  @Test("a server that ignores ranges sends the whole file, from the start")
  func ignoredRange() async throws {
    let hub = try FakeHub(Self.model())
    hub.behave(.drop(after: 1000), .ignoreRange, about: "model.safetensors")
    let model = try await library.store(hub).pull(name)
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
  }

  @Test("a changed entity tag starts the file anew, whether the server heeds If-Range or not")
  func changedTag() async throws {
    let hub = try FakeHub(Self.model())
    hub.behave(
      .reply(
        LoopbackServer.Reply(
          headers: ["ETag": "\"old\""], body: noise(300_000, seed: 9), dropsAfter: 5000)),
      about: "model.safetensors")
    hub.behave(.drop(after: 5000), .tag("\"other\""), about: "tokenizer.json")
    let model = try await library.store(hub).pull(name)
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
    #expect(try bytes(model, "tokenizer.json") == Self.model()["tokenizer.json"]?.bytes)
    #expect(hub.requests(about: "model.safetensors").last?.headers["if-range"] == "\"old\"")
    #expect(hub.requests(about: "tokenizer.json").last?.headers["range"] == nil)
  }

  @Test("an interrupted pull is taken up by the next, from what lies on the disk")
  func resumed() async throws {
    let hub = try FakeHub(Self.model())
    hub.behave(
      .drop(after: 100_000), .status(403, ["X-Error-Message": "no"]), about: "model.safetensors")
    let store = try library.store(hub)
    await #expect(throws: StoreError.self) { try await store.pull(name) }
    #expect(try store.list() == [])
    #expect(try store.find(name) == nil)
    let model = try await store.pull(name)
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
    #expect(
      hub.requests(about: "model.safetensors").last?.headers["range"] == "bytes=100000-299999")
  }

  @Test("what a crash left damaged in a partial file is found, and the file fetched anew")
  func damagedPartial() async throws {
    let hub = try FakeHub(Self.model())
    hub.behave(
      .drop(after: 100_000), .status(403, ["X-Error-Message": "no"]), about: "model.safetensors")
    let store = try library.store(hub)
    await #expect(throws: StoreError.self) { try await store.pull(name) }
    let partial = try #require(library.files.first { $0.hasSuffix("-model.safetensors") })
    try Data(count: 100_000).write(to: URL(fileURLWithPath: "\(library.home)/\(partial)"))
    let model = try await store.pull(name)
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
    try store.verify(name)
  }

  @Test("a file of no bytes and one in a folder arrive")
  func oddFiles() async throws {
    let hub = try FakeHub([
      "sub/x-Q4_0.gguf": FakeHub.File(bytes: noise(1000, seed: 3)),
      "config.json": FakeHub.File(bytes: []),
    ])
    let model = try await library.store(hub).pull("hf:owner/model:Q4_0")
    #expect(model.files.map(\.name) == ["sub/x-Q4_0.gguf"])
    #expect(try DiskFile.sha256(model.path) == model.digest)
    var files = Self.model()
    files["merges.txt"] = FakeHub.File(bytes: [])
    let other = try FakeHub(files)
    let second = try await library.store(other).pull("hf:owner/model@main")
    #expect(try bytes(second, "merges.txt") == [])
  }

  @Test("the parts of a split GGUF arrive together, and the first is what a loader opens")
  func split() async throws {
    let hub = try FakeHub([
      "m-Q8_0-00001-of-00002.gguf": FakeHub.File(bytes: noise(500, seed: 4)),
      "m-Q8_0-00002-of-00002.gguf": FakeHub.File(bytes: noise(400, seed: 5)),
      "m-Q4_0.gguf": FakeHub.File(bytes: noise(300, seed: 6)),
    ])
    let model = try await library.store(hub).pull("hf:owner/model:q8_0")
    #expect(model.path.hasSuffix("/m-Q8_0-00001-of-00002.gguf"))
    #expect(model.files.count == 2)
    #expect(
      try DiskFile.names(in: DiskFile.parent(model.path)) == [
        "m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf",
      ])
  }

  @Test("a row of the catalogue is fetched from its repository under its own name and licence")
  func catalogueRow() async throws {
    let hub = try FakeHub(Self.model())
    hub.card(#"{"license":"mit"}"#)
    let entry = CatalogueEntry(
      name: "mine:1b", description: "A model of one's own", licence: .apache,
      source: .hub("owner/model"))
    let model = try await library.store(hub, entries: [entry]).pull("mine:1b")
    #expect(model.name == "mine:1b")
    #expect(model.licence == .apache)
    #expect(model.description == "A model of one's own")
  }

  @Test("cancelling ends the pull with a CancellationError, leaves nothing visible, and resumes")
  func cancelled() async throws {
    let hub = try FakeHub(Self.model())
    hub.behave(.pause(.seconds(300)), about: "model.safetensors")
    let store = try library.store(hub)
    let (name, library) = (name, library)
    let pull = Task { _ = try await store.pull(name, progress: library.note) }
    while !library.events.contains(where: { $0.phase == .downloading && $0.byteCount > 100_000 }) {
      try await Task.sleep(for: .milliseconds(5))
    }
    let start = ContinuousClock.now
    pull.cancel()
    await #expect(throws: CancellationError.self) { try await pull.value }
    #expect(ContinuousClock.now - start < .seconds(150))
    #expect(try store.list() == [])
    let partial = try #require(library.files.first { $0.hasSuffix("-model.safetensors") })
    let kept = try #require(DiskFile.byteCount("\(library.home)/\(partial)"))
    #expect((1..<300_000).contains(kept))
    try await store.pull(name)
    #expect(
      hub.requests(about: "model.safetensors").last?.headers["range"] == "bytes=\(kept)-299999")
  }

  @Test("redirects are followed, with the token only on the same server")
  func redirects() async throws {
    let other = try FakeHub(Self.model())
    let hub = try FakeHub(Self.model())
    let path = "/owner/model/resolve/\(FakeHub.commit)"
    hub.behave(.redirect("\(other.address)\(path)/model.safetensors"), about: "model.safetensors")
    hub.behave(.redirect("\(path)/tokenizer.json?again=1"), about: "tokenizer.json")
    let model = try await library.store(hub, token: "hf_secret").pull(name)
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
    #expect(hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer hf_secret" })
    #expect(hub.requests(about: "tokenizer.json").count == 2)
    #expect(other.requests.count == 1)
    #expect(other.requests.allSatisfy { $0.headers["authorization"] == nil })
  }

  @Test("a range is asked for anew through the redirect, and answered by the other server")
  func redirectedRange() async throws {
    let other = try FakeHub(Self.model())
    let hub = try FakeHub(Self.model())
    let path = "/owner/model/resolve/\(FakeHub.commit)/model.safetensors"
    hub.always(.redirect(other.address + path), about: "model.safetensors")
    other.behave(.drop(after: 1234), about: "model.safetensors")
    let model = try await library.store(hub).pull(name)
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
    #expect(other.requests.last?.headers["range"] == "bytes=1234-299999")
    #expect(other.requests.last?.headers["if-range"] != nil)
  }

  @Test("too many requests and a server in trouble are waited for")
  func temporary() async throws {
    let hub = try FakeHub(Self.model())
    hub.behave(
      .status(429, ["Retry-After": "1"]), .status(503, [:]), .status(500, [:]),
      about: "model.safetensors")
    let start = ContinuousClock.now
    let model = try await library.store(hub).pull(name)
    #expect(ContinuousClock.now - start >= .seconds(1))
    #expect(try bytes(model, "model.safetensors") == Self.model()["model.safetensors"]?.bytes)
  }

  @Test("a slow start is waited for within the timeout")
  func slow() async throws {
    let hub = try FakeHub(Self.model())
    hub.behave(.wait(.milliseconds(700)), about: "model.safetensors")
    #expect(try await library.store(hub).pull(name).files.count == 3)
  }
}
