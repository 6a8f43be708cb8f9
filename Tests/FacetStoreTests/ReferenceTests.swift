// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetStore
import FacetTestSupport
import Foundation
import Testing

/// What a word on a command line means.
@Suite("References")
struct ReferenceTests {
  static let store = ModelStore(home: Scratch.path("none"))

  @Test(
    "names, places, paths and what was meant to be one are models",
    arguments: [
      "gemma3", "gemma3:270m", "Gemma3:270M", "gemma-3:1b-it", "llama2", "hf:owner/name",
      "hf:broken",
      "gemma3:270x", "mistral:v9", "./missing.gguf", "missing.GGUF", "/no/such/file", "~/model",
      "../x", NSTemporaryDirectory(), #filePath,
    ])
  func models(_ word: String) { #expect(Self.store.names(word)) }

  @Test(
    "anything else is a prompt",
    arguments: [
      "", "hello", "The capital of France is", "gemma3 is a model", "/slash and words",
      "time: 12:30",
      "note:this", "hf", "What is ./a?", "read file.gguf please",
    ])
  func prompts(_ word: String) { #expect(!Self.store.names(word)) }

  @Test("a name of the library is a model, and is called by its full name")
  func ownName() throws {
    let home = Scratch.path("names")
    defer { try? FileManager.default.removeItem(atPath: home) }
    let store = ModelStore(home: home)
    let name = try ModelName("mine")
    #expect(!store.names("mine"))
    let digest = SHA256.hex([])
    let manifest = Manifest(
      name: name, description: "", source: "test", licence: .apache,
      files: [StoredFile(name: "a.gguf", sha256: digest, byteCount: 0)])
    try store.record(manifest, as: name)
    #expect(store.names("mine"))
    #expect(store.displayName(of: "MINE") == "mine:latest")
    #expect(store.displayName(of: "gemma3") == "gemma3:270m")
    #expect(store.displayName(of: "/some/where/x.gguf") == "x.gguf")
    #expect(store.displayName(of: "x.gguf") == "x.gguf")
  }

  @Test("a broken name of the Hub is told how one is written")
  func brokenHubName() {
    #expect(
      throws: StoreError(
        .invalidName,
        "'hf:broken' does not name a model of the Hugging Face Hub. Write hf:owner/name, "
          + "hf:owner/name@revision or hf:owner/name:file.gguf.")
    ) { try Self.store.locate("hf:broken") }
  }

  @Test("the default model is in the catalogue")
  func defaultModel() { #expect(Self.store.canPull(ModelStore.defaultModel)) }
}
