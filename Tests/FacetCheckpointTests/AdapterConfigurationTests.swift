// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Testing

@Suite("What an adapter's configuration means")
struct AdapterConfigurationTests {
  private let query = TensorName(.query, layer: 0)

  @Test("the scale is alpha over the rank, and over its root with rsLoRA")
  func scale() {
    var configuration = AdapterConfiguration(rank: 16, alpha: 32)
    #expect(configuration.scale(of: query) == 2)
    configuration.usesRSLoRA = true
    #expect(configuration.scale(of: query) == 8)
  }

  /// Pairs of PEFT's `get_pattern_key`: `re.match(rf"(.*\.)?({key})$", name)`.
  @Test(
    "a pattern matches the end of a name, from its beginning or after a dot, as in PEFT",
    arguments: [
      ("q_proj", true), ("self_attn.q_proj", true), ("proj", false), ("_proj", false),
      ("layers.1.self_attn.q_proj", true), ("layers.11.self_attn.q_proj", false),
      ("model.layers.1.self_attn.q_proj", true), ("^model.layers.1.self_attn.q_proj", true),
      ("^layers.1.self_attn.q_proj", false), (#"layers\.\d+\.self_attn\.q_proj"#, true),
      (#"model\.layers\.(0|1)\.self_attn\.[qk]_proj"#, true), (".*", true), ("q_pro", false),
      (#"layers\.[02-9]\..*"#, false), (#"layers\.[^02-9]\..+"#, true), ("(?:q|v)_proj", true),
      ("k_proj|q_proj", true), ("q_proj$", true), (#"(\w+\.)*q_proj"#, true), ("q_projx?", true),
      ("", false), ("((((a*)*)*)*)*b", false),
    ])
  func patterns(pattern: String, matches: Bool) {
    var configuration = AdapterConfiguration(rank: 4)
    configuration.rankPattern = [pattern: 9]
    let rank = configuration.rank(of: TensorName(.query, layer: 1))
    #expect(rank == (matches ? 9 : 4))
    #expect(failure(configuration.validate) == nil)
  }

  @Test("the longest of several patterns holds, and other modules keep the common value")
  func severalPatterns() {
    var configuration = AdapterConfiguration(rank: 4, alpha: 8)
    configuration.rankPattern = ["q_proj": 2, "layers.1.self_attn.q_proj": 3]
    configuration.alphaPattern = ["k_proj": 12]
    #expect(configuration.rank(of: TensorName(.query, layer: 1)) == 3)
    #expect(configuration.rank(of: query) == 2)
    #expect(configuration.scale(of: TensorName(.key, layer: 5)) == 3)
    #expect(configuration.scale(of: TensorName(.down, layer: 5)) == 2)
  }

  @Test("roles and layers choose the matrices")
  func targets() {
    var configuration = AdapterConfiguration(targetRoles: [.query, .head], layers: [2])
    #expect(configuration.targets(TensorName(.query, layer: 2)))
    #expect(!configuration.targets(query))
    #expect(!configuration.targets(TensorName(.key, layer: 2)))
    #expect(configuration.targets(TensorName(.head)))
    configuration.layers = nil
    #expect(configuration.targets(query))
  }

  @Test("values that cannot be are refused with a sentence")
  func refusals() {
    func message(_ change: (inout AdapterConfiguration) -> Void) -> String? {
      var configuration = AdapterConfiguration()
      change(&configuration)
      return failure(configuration.validate)?.message
    }
    #expect(message { _ in } == nil)
    #expect(
      message { $0.rank = 0 } == "The adapter has a rank of 0; it must lie between 1 and 65536.")
    #expect(
      message { $0.rankPattern = ["q_proj": -1] }
        == "The adapter has a rank of -1; it must lie between 1 and 65536.")
    #expect(
      message { $0.alpha = .infinity }
        == "The adapter has an alpha of inf; it must be a positive number.")
    #expect(
      message { $0.dropout = 1 } == "The adapter has a dropout of 1.0; it must lie between 0 and 1."
    )
    #expect(
      message { $0.targetRoles = [] }
        == "The adapter has nothing to change; name at least one matrix and one layer.")
    #expect(
      message { $0.targetRoles = [.embedding, .query] }
        == "The adapter has the target 'embedding'; only matrices between activations can be "
        + "adapted.")
    for pattern in ["(?=x)", "a{2}", "(", "[", #"\b"#, "*", "a|)"] {
      #expect(
        message { $0.rankPattern = [pattern: 2] }
          == "The adapter has the pattern '\(pattern)', which is no pattern over names of modules.")
    }
  }
}
