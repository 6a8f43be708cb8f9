// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import Foundation
import Testing

@Suite("facet init")
struct InitTests {
  private static func facet(_ arguments: [String]) throws -> Facet.Outcome {
    try Facet.Child(arguments).outcome()
  }

  @Test("a vocabulary, a new model and a training from scratch make a model that knows its text")
  func fromScratch() throws {
    let folder = TinyModel.folder + "/scratch-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let text = Goldens.path("texts/emma.txt")
    let trained = try Self.facet([
      "tokenizer", "train", "--input", text, "--vocab-size", "400", "--gemma", "-o",
      folder + "/tokenizer.model",
    ])
    #expect(trained.status == 0, "\(trained.error)")
    try """
    {"model_type": "gemma3_text", "hidden_size": 32, "num_hidden_layers": 2, "head_dim": 16,
     "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1,
     "vocab_size": 400, "max_position_embeddings": 128, "sliding_window": 64,
     "query_pre_attn_scalar": 16, "bos_token_id": 2, "eos_token_id": 1}
    """.write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
    let model = folder + "/new.gguf"
    let made = try Self.facet(["init", folder, model, "--seed", "5"])
    #expect(made.status == 0, "\(made.error)")
    // 400 × 32 of embedding; two layers of 32 × (32 + 16 + 16 + 32 + 3 · 64) and norms; a norm.
    let weights = 400 * 32 + 2 * (32 * 288 + 4 * 32 + 2 * 16) + 32
    #expect(made.output.hasPrefix("\(model): \(weights) weights, random (seed 5), "))
    #expect(made.output.hasSuffix("Train it: facet tune \(model) --method full --data FILE\n"))

    let rows = folder + "/rows.jsonl"
    let emma = Array(try String(contentsOfFile: text, encoding: .utf8).prefix(12_000))
    try stride(from: 0, to: emma.count, by: 400).map {
      let row = ["text": String(emma[$0..<min(emma.count, $0 + 400)])]
      return String(decoding: try JSONEncoder().encode(row), as: UTF8.self) + "\n"
    }.joined().write(toFile: rows, atomically: true, encoding: .utf8)
    let output = folder + "/run"
    let tuned = try Self.facet([
      "tune", model, "--method", "full", "--data", rows, "-o", output, "--set", "max_steps=40",
      "--set", "learning_rate=0.02", "--set", "max_length=128", "--set", "overlong=truncate",
      "--set", "save_strategy=no", "--set", "eval_strategy=no", "--set",
      "per_device_train_batch_size=8",
    ])
    #expect(tuned.status == 0, "\(tuned.error)")
    let losses = try String(contentsOfFile: output + "/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").map { line -> Double in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(object?["loss"] as? Double)
      }
    // Weights that know nothing hold all 400 tokens alike.
    #expect(abs(losses[0] - log(400)) < 0.1)
    #expect(try #require(losses.last) < 4.6)
    let answer = try Self.facet([
      "run", output + "/model.gguf", "--max-tokens", "5", "--temperature", "0", "Emma",
    ])
    #expect(answer.status == 0 && !answer.output.isEmpty, "\(answer.error)")

    let again = try Self.facet(["init", folder, model])
    #expect(again.status == 1)
    #expect(
      again.error
        == "facet: '\(model)' is there already. Choose another name or allow overwriting (--force).\n"
    )
    let nothing = try Self.facet(["init", folder + "/none", model, "--force"])
    #expect(
      nothing.error
        == "facet: '\(folder)/none' is no directory with a config.json. It must hold one, and "
        + "tokenizer.model or tokenizer.json.\n")
  }
}
