// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetStore
import Testing

@Suite("Model names")
struct ModelNameTests {
  @Test(
    "names are read as users write them",
    arguments: [
      ("gemma3:270m", "gemma3:270m"), ("gemma3", "gemma3:270m"), ("Gemma3:1B", "gemma3:1b"),
      ("gemma", "gemma:2b"), ("gemma:7b-it", "gemma:7b-instruct"), ("gemma2:9b-pt", "gemma2:9b"),
      ("gemma-3:latest", "gemma3:270m"), ("llama2:7b-chat", "llama2:7b-instruct"),
      ("llama2:13b-text", "llama2:13b"), ("mistral", "mistral:7b"), ("smollm2", "smollm2:135m"),
      ("my-model", "my-model:latest"), ("my-model:v1-it", "my-model:v1-it"),
      ("hf:Owner/Name", "hf:Owner/Name"), ("hf:Owner/Name@main", "hf:Owner/Name"),
      ("hf:o/n@v1.0:sub/x.Q4_0.gguf", "hf:o/n@v1.0:sub/x.Q4_0.gguf"),
      ("hf:o/n:Q4_0", "hf:o/n:Q4_0"),
    ])
  func spelling(_ typed: String, _ shown: String) throws {
    #expect(try ModelName(typed).description == shown)
    #expect(try ModelName(shown).description == shown)
  }

  @Test(
    "what could lead out of the library or is no name is refused",
    arguments: [
      "", ":", "a:", ":b", "../x", "a/b", "/etc/passwd", "..", ".hidden", "a:..", "a:../b", "a b",
      "a\0b", "a:b:c", "-rf", "hf", "hf:x", "naïve", "a\\b", "a%2Fb",
      String(repeating: "a", count: 97),
    ])
  func refused(_ typed: String) {
    if typed.hasPrefix("hf:") {
      #expect(throws: StoreError.self) { try ModelName(typed) }
    } else {
      #expect(
        throws: StoreError(
          .invalidName,
          "'\(typed)' is not a model name. Names look like gemma3:270m or hf:owner/name:file.gguf, "
            + "with letters, digits, '.', '_' and '-'.")
      ) { try ModelName(typed) }
    }
  }

  @Test(
    "a place on the Hub needs owner, name and clean paths",
    arguments: [
      "hf:", "hf:owner", "hf:owner/", "hf:/name", "hf:a/b/c", "hf:../b", "hf:a/..", "hf:a/b@",
      "hf:a/b:", "hf:a/b:../x.gguf", "hf:a/b:/x.gguf", "hf:a/b:x//y", "hf:a/b@../c", "hf:a/b@x y",
      "hf:a/b?x=1", "hf:a/b#f",
    ])
  func hubRefused(_ typed: String) {
    #expect(
      throws: StoreError(
        .invalidName,
        "'\(typed)' does not name a model of the Hugging Face Hub. Write hf:owner/name, "
          + "hf:owner/name@revision or hf:owner/name:file.gguf.")
    ) { try ModelName(typed) }
  }

  @Test("paths and keys are single, safe components")
  func paths() throws {
    #expect(try ModelName("gemma3:270m").path == "gemma3/270m")
    let hub = try ModelName("hf:o/n@refs/pr/1:sub/x.gguf")
    #expect(hub.path == "hf/o/n/refs%2Fpr%2F1%3Asub%2Fx.gguf")
    #expect(hub.key == "hf%3Ao%2Fn@refs%2Fpr%2F1%3Asub%2Fx.gguf")
    #expect(ModelName.escaped("..") == "%2E.")
    #expect(ModelName.escaped(String(repeating: "/", count: 200)).utf8.count == 90 + 1 + 64)
  }

  @Test("every row of the catalogue has a canonical, unique name")
  func catalogue() throws {
    let names = Catalogue.models.map(\.name)
    #expect(Set(names).count == names.count)
    for row in Catalogue.models {
      let name = try ModelName(row.name)
      #expect(name.description == row.name)
      #expect(Catalogue.entry(name) == row)
      switch row.source {
      case .hub(let repository): _ = try ModelName("hf:\(repository)")
      case .python(let files):
        for file in files {
          #expect(SHA256.isDigest(file.sha256))
          #expect(file.parts.allSatisfy { SHA256.isDigest($0.sha256) && $0.byteCount > 0 })
        }
      }
    }
    for (family, tag) in Catalogue.defaultTags {
      #expect(names.contains("\(family):\(tag)"))
    }
  }
}
