// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetStore
import Foundation
import Testing

/// What the library keeps, shares, loses and says.
@Suite("The library")
struct ModelStoreTests {
  let library: Library
  let hub: FakeHub
  let store: ModelStore

  init() throws {
    library = try Library()
    hub = try FakeHub([
      "a-Q4_0.gguf": FakeHub.File(bytes: noise(5000, seed: 1)),
      "b-00001-of-00002.gguf": FakeHub.File(bytes: noise(3000, seed: 2)),
      "b-00002-of-00002.gguf": FakeHub.File(bytes: noise(2000, seed: 3)),
    ])
    store = try library.store(hub)
  }

  private let one = "hf:owner/model:Q4_0"
  private let two = "hf:owner/model:b"

  private func message(_ body: () throws -> Void) async -> String {
    await FacetStoreTests.message { try body() }
  }

  private var blobs: [String] { library.files.filter { $0.hasPrefix("blobs/") } }

  // MARK: Looking

  @Test("nothing is created by looking")
  func looking() async throws {
    #expect(try store.list() == [])
    #expect(try store.find("gemma3") == nil)
    #expect(try store.isMissing("gemma3:270m"))
    #expect(!store.canPull("nothing-of-that-name"))
    #expect(
      await message { _ = try store.locate("gemma3") }
        == "'gemma3:270m' is not on this machine yet. Fetch it: facet pull gemma3:270m")
    #expect(
      await message { _ = try store.locate("gema3:270m") }
        == "There is no model 'gema3:270m'. Did you mean gemma3:270m? facet list --all shows the "
        + "models that can be pulled; any repository of the Hugging Face Hub is hf:owner/name.")
    #expect(
      await message { _ = try store.locate("./absent.gguf") }
        == "There is no file or directory './absent.gguf'.")
    #expect(
      await message { _ = try store.locate("no such name!") }
        == "'no such name!' is neither a file nor a directory, nor a model name.")
    #expect(!DiskFile.exists(library.home))
  }

  @Test("a model is listed, found by any spelling, located, and has its notice beside it")
  func listed() async throws {
    let model = try await store.pull(one)
    #expect(try store.list() == [model])
    #expect(try store.find(one) == model)
    #expect(try store.locate(one) == model.path)
    #expect(model.byteCount == 5000)
    #expect(try DiskFile.sha256(model.path) == model.digest)
    let notice = try #require(library.files.first { $0.hasSuffix(".licence.txt") })
    let text = try #require(try DiskFile.read("\(library.home)/\(notice)"))
    #expect(
      String(decoding: text, as: UTF8.self).contains("Gemma Terms of Use found at ai.google.dev"))
  }

  @Test("a name in the library that is no model of the catalogue's")
  func unknownName() async throws {
    #expect(
      await FacetStoreTests.message { try await store.pull("smolm2") }
        == "There is no model 'smolm2:latest'. facet list --all shows the models that can be pulled; "
        + "any repository of the Hugging Face Hub is hf:owner/name.")
  }

  // MARK: Copying and removing

  @Test("a copy shares the files; removing one name keeps them, removing the last takes them away")
  func sharedBlobs() async throws {
    try await store.pull(one)
    try store.copy(one, to: "mine:v1")
    #expect(try store.list().map(\.name) == [one, "mine:v1"])
    #expect(blobs.count == 1)
    try store.remove(one)
    #expect(try store.list().map(\.name) == ["mine:v1"])
    #expect(blobs.count == 1)
    try store.verify("mine:v1")
    try store.remove("mine:v1")
    #expect(library.files.filter { !$0.hasPrefix("locks/") } == [])
  }

  @Test("removing collects the blobs and directories that nobody names, and only those")
  func garbage() async throws {
    try await store.pull(one)
    let split = try await store.pull(two)
    _ = try DiskFile.replace(
      "\(library.home)/blobs/sha256-\(String(repeating: "0", count: 64))", with: Data([1]))
    try store.remove(one)
    #expect(blobs.count == 2)
    try store.verify(two)
    #expect(DiskFile.exists(split.path))
    try store.remove(two)
    #expect(!DiskFile.exists(DiskFile.parent(split.path)))
    #expect(blobs == [])
  }

  @Test("copying and removing what is not there, and copying to a place on the Hub")
  func absent() async throws {
    #expect(
      await message { try store.remove("mine") }
        == "'mine:latest' is not in the library. facet list shows what is.")
    #expect(
      await message { try store.copy("mine", to: "other") }
        == "'mine:latest' is not in the library. facet list shows what is.")
    try await store.pull(one)
    #expect(
      await message { try store.copy(one, to: "hf:a/b") }
        == "A copy needs a name of your own, such as my-gemma:v1; 'hf:a/b' is a place on the Hugging "
        + "Face Hub.")
  }

  // MARK: Damage

  @Test("a lost blob, a damaged one and one cut short are named, and a pull brings them back")
  func damaged() async throws {
    let model = try await store.pull(one)
    try store.verify(one)
    var bytes = noise(5000, seed: 1)
    bytes[4999] ^= 1
    for damage in [Data(bytes), Data(bytes.prefix(4999))] {
      try damage.write(to: URL(fileURLWithPath: model.path))
      #expect(
        await message { try store.verify(one) }
          == "'a-Q4_0.gguf' of '\(one)' is damaged on this disk. Bring it back: facet pull \(one)")
      try await store.pull(one)
      try store.verify(one)
    }
    try DiskFile.remove(model.path)
    let lost = "The library has lost 'a-Q4_0.gguf' of '\(one)'. Bring it back: facet pull \(one)"
    #expect(await message { try store.verify(one) } == lost)
    #expect(await message { _ = try store.locate(one) } == lost)
    try await store.pull(one)
    #expect(try store.locate(one) == model.path)
  }

  @Test("a lost directory of links is made again")
  func lostView() async throws {
    let model = try await store.pull(two)
    try DiskFile.remove("\(library.home)/models")
    #expect(try store.locate(two) == model.path)
    #expect(DiskFile.exists(model.path))
  }

  @Test(
    "a manifest that is damaged, newer, or leads out of the library is refused, and nothing deleted",
    arguments: [
      "", "{", "{}", #"{"version":2}"#,
      manifest(name: "../../etc/passwd"), manifest(sha256: "../x"), manifest(byteCount: -1),
      manifest(byteCount: Int.max),
    ])
  func badManifest(_ text: String) async throws {
    let model = try await store.pull(one)
    let path = "\(library.home)/manifests/mine/latest.json"
    try DiskFile.replace(path, with: Data(text.utf8))
    let expected =
      "The manifest '\(path)' is damaged or was written by a newer version. Delete it and pull the "
      + "model again."
    #expect(await message { _ = try store.list() } == expected)
    #expect(await message { _ = try store.find("mine") } == expected)
    #expect(await message { try store.remove(one) } == expected)
    #expect(DiskFile.exists(model.path))
  }

  static func manifest(
    name: String = "a.gguf", sha256: String = SHA256.hex([]), byteCount: Int = 0
  ) -> String {
    #"{"version":1,"name":"mine:latest","description":"","source":"","pulled":"","#
      + #""licence":{"name":"","notice":"","url":""},"files":[{"name":"\#(name)","#
      + #""sha256":"\#(sha256)","byteCount":\#(byteCount)}]}"#
  }

  // MARK: Homes

  @Test("a home that is a file, or lies under one, or where nothing can be made")
  func badHomes() async throws {
    let file = try library.write("file", [1])
    for home in [file, file + "/below"] {
      var sources = StoreSources()
      sources.hub = try Library.settings(hub.address)
      let store = ModelStore(home: home, sources: sources)
      #expect(try store.list() == [])
      let text = await FacetStoreTests.message { try await store.pull(one) }
      #expect(text.hasPrefix("Cannot create the directory '\(home)/locks/"))
      #expect(text.hasSuffix("': '\(file)' is a file."))
    }
    #if os(Linux)
      var sources = StoreSources()
      sources.hub = try Library.settings(hub.address)
      let store = ModelStore(home: "/proc/facet", sources: sources)
      let text = await FacetStoreTests.message { try await store.pull(one) }
      #expect(text.hasPrefix("Cannot create the directory '/proc/facet"))
    #endif
  }

  @Test("what the system says about a full disk becomes advice")
  func fullDisk() async {
    for code in [POSIXErrorCode.ENOSPC, .EDQUOT] {
      #expect(
        await message { try DiskFile.wrap("write", "/x/y") { throw POSIXError(code) } }
          == "The disk that holds '/x/y' is full. Free some space, or set FACET_HOME to a directory "
          + "on another disk, and pull again: what has arrived is kept.")
    }
    #expect(
      await message { try DiskFile.wrap("write", "/x") { throw POSIXError(.EROFS) } }
        == "Cannot write '/x': the file system is read-only.")
    #expect(
      await message { try DiskFile.wrap("read", "/x") { throw POSIXError(.EACCES) } }
        == "Cannot read '/x': permission denied.")
  }
}
