// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetStore
import FacetTestSupport
import Foundation
import Testing

/// Models that are made of files which a client sends, or of another model.
@Suite("Making models")
struct MakingTests {
  let home = Scratch.path("making")
  var store: ModelStore { ModelStore(home: home) }

  /// Sends `text` as a file; returns its SHA-256.
  private func send(_ text: String) throws -> String {
    let digest = SHA256.hex([UInt8](text.utf8))
    let file = try store.receive(digest)
    for byte in text.utf8 { try file.append(Data([byte])) }
    try file.finish()
    return digest
  }

  @Test("a file that arrives whole is held, and becomes part of a model")
  func file() throws {
    defer { try? FileManager.default.removeItem(atPath: home) }
    let digest = try send("weights")
    #expect(store.holds(digest))
    var seen = ""
    let made = try store.make(
      "mine", of: ["m.gguf": digest], licence: nil,
      settings: ModelSettings(system: "Be brief.", parameters: #"{"temperature":0}"#)
    ) { seen = try String(contentsOfFile: $0, encoding: .utf8) }
    #expect(seen == "weights")
    #expect(made.name == "mine:latest" && made.digest == digest && made.source == "made here")
    #expect(try store.find("mine")?.settings?.system == "Be brief.")
    #expect(try String(contentsOfFile: store.locate("mine"), encoding: .utf8) == "weights")
    // Removing it takes the file away.
    try store.remove("mine")
    #expect(!store.holds(digest))
  }

  @Test("several files are shown to the check under their names")
  func folder() throws {
    defer { try? FileManager.default.removeItem(atPath: home) }
    let files = ["config.json": try send("{}"), "model.safetensors": try send("numbers")]
    var configuration = ""
    let made = try store.make("several", of: files, licence: nil, settings: nil) { path in
      configuration = try String(contentsOfFile: path + "/config.json", encoding: .utf8)
    }
    #expect(configuration == "{}")
    #expect(made.files.map(\.name) == ["config.json", "model.safetensors"])
    let path = try store.locate("several")
    #expect(try String(contentsOfFile: path + "/model.safetensors", encoding: .utf8) == "numbers")
  }

  @Test("a file that is not what was announced is refused and leaves nothing")
  func wrongDigest() throws {
    defer { try? FileManager.default.removeItem(atPath: home) }
    let announced = SHA256.hex([1])
    let file = try store.receive(announced)
    try file.append(Data("something else".utf8))
    let found = SHA256.hex([UInt8]("something else".utf8))
    let error = #expect(throws: StoreError.self) { try file.finish() }
    #expect(
      error?.message
        == "The digest of what arrived is sha256:\(found), and not sha256:\(announced). Send it again."
    )
    #expect(!store.holds(announced) && !store.holds(found))
    #expect(try FileManager.default.contentsOfDirectory(atPath: home + "/uploads") == [])
  }

  @Test("a file that is given up leaves nothing")
  func discarded() throws {
    defer { try? FileManager.default.removeItem(atPath: home) }
    let file = try store.receive(SHA256.hex([1]))
    try file.append(Data([1]))
    file.discard()
    #expect(try FileManager.default.contentsOfDirectory(atPath: home + "/uploads") == [])
  }

  @Test(
    "what is no digest is refused",
    arguments: ["", "abc", "../../x", String(repeating: "g", count: 64)])
  func noDigest(_ text: String) {
    #expect(throws: StoreError.self) { try store.receive(text) }
    #expect(!store.holds(text))
  }

  @Test("a check that fails makes nothing")
  func failedCheck() throws {
    defer { try? FileManager.default.removeItem(atPath: home) }
    let digest = try send("no model")
    struct Refusal: Error {}
    #expect(throws: Refusal.self) {
      try store.make("broken", of: ["m.gguf": digest], licence: nil, settings: nil) { _ in
        throw Refusal()
      }
    }
    #expect(try store.list().isEmpty)
    #expect(store.holds(digest))
  }

  @Test(
    "names that lead out of the library are refused",
    arguments: ["../m.gguf", "/m.gguf", "a/../../b"])
  func escapes(_ name: String) throws {
    defer { try? FileManager.default.removeItem(atPath: home) }
    let digest = try send("weights")
    #expect(throws: StoreError.self) {
      try store.make("out", of: [name: digest], licence: nil, settings: nil) { _ in }
    }
  }

  @Test("a model made of another shares its files and has its own settings")
  func other() throws {
    defer { try? FileManager.default.removeItem(atPath: home) }
    let digest = try send("weights")
    try store.make(
      "first", of: ["m.gguf": digest], licence: nil, settings: ModelSettings(system: "One.")
    ) { _ in }
    try store.make("second", from: "first", settings: ModelSettings(system: "Two."))
    try store.make("third", from: "first", settings: nil)
    #expect(try store.find("second")?.settings?.system == "Two.")
    #expect(try store.find("third")?.settings?.system == "One.")
    try store.remove("first")
    #expect(store.holds(digest))
    #expect(throws: StoreError.self) { try store.make("x", from: "first", settings: nil) }
    #expect(throws: StoreError.self) { try store.make("hf:a/b", from: "second", settings: nil) }
  }
}
