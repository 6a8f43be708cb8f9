// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Testing

/// `facet tokenize`, `detokenize`, `perplexity`, `bench`, `plan`, `show` on a file.
@Suite("Commands on a model file")
struct ModelFileCommandTests {
  static let text = "Hé 日 <s>\n  two lines, one \u{1F600}"

  @Test("detokenize gives back what tokenize took, by argument and by standard input")
  func roundTrip() throws {
    let ids = try Facet.run("tokenize", TinyModel.base, Self.text)
    #expect(ids.status == 0)
    let words = ids.output.split { $0 == " " || $0 == "\n" }.map(String.init)
    #expect(words.first == "1")
    let back = try Facet.Child(["detokenize", TinyModel.base] + words).outcome()
    #expect(back.output == Self.text + "\n")
    let piped = try Facet.run("tokenize", TinyModel.base, input: Self.text + "\n")
    #expect(piped.output == ids.output)
    let pipedBack = try Facet.run("detokenize", TinyModel.base, input: ids.output)
    #expect(pipedBack.output == Self.text + "\n")
    let commas = words.joined(separator: ",")
    #expect(try Facet.run("detokenize", TinyModel.base, commas).output == Self.text + "\n")
  }

  @Test("tokenize knows the vocabulary, beginnings and control tokens")
  func tokenize() throws {
    let a = TinyModel.token("a")
    let space = TinyModel.token("▁")
    #expect(try Facet.run("tokenize", TinyModel.base, "a a").output == "1 \(a) \(space) \(a)\n")
    #expect(try Facet.run("tokenize", TinyModel.base, "a", "--no-bos").output == "\(a)\n")
    #expect(
      try Facet.run("tokenize", TinyModel.base, "</s>a", "--special", "--no-bos").output
        == "2 \(a)\n")
    #expect(
      try Facet.run("tokenize", TinyModel.base, "a\n", "--pieces").output
        == "  1  <s>\n\(a)  a\n\(TinyModel.token("\n"))  \"\\n\"\n")
    #expect(
      try Facet.run("tokenize", TinyModel.base, "a", "--json").output
        == "{\"tokens\":[{\"id\":1,\"piece\":\"<s>\"},{\"id\":\(a),\"piece\":\"a\"}]}\n")
    #expect(try Facet.run("detokenize", TinyModel.base, "1", "2", "\(a)").output == "a\n")
    #expect(
      try Facet.run("detokenize", TinyModel.base, "1", "2", "\(a)", "--special").output
        == "<s></s>a\n")
  }

  @Test("perplexity prints one line, and the same figures as JSON")
  func perplexity() throws {
    struct Page: Decodable {
      var model: String
      var perplexity: Double
      var standard_error: Double
      var chunks: Int
      var chunk: Int
      var tokens: Int
    }
    let file = TinyModel.folder + "/perplexity.txt"
    let text = String(repeating: "the quick brown fox jumps. ", count: 20)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    let options = ["perplexity", TinyModel.base, file, "--chunk", "32", "--chunks", "3"]
    let plain = try Facet.Child(options).outcome()
    let json = try Facet.Child(options + ["--json"]).outcome()
    let page = try JSONDecoder().decode(Page.self, from: Data(json.output.utf8))
    #expect(page.model == "tiny.gguf")
    // The second half of each chunk, less the last token, which nothing follows.
    #expect(page.chunks == 3 && page.chunk == 32 && page.tokens == 3 * 15)
    // A random model knows nothing: about as many choices as it draws from, or worse.
    #expect(page.perplexity > 20 && page.perplexity < 100_000)
    let value = String(format: "%.4f", page.perplexity)
    let error = String(format: "%.4f", page.standard_error)
    #expect(plain.output == "Perplexity: \(value) ± \(error) (3 chunks of 32)\n")
    #expect(plain.error.contains("chunk 3 of 3"))
  }

  @Test("bench prints the keys of its protocol, and a table")
  func bench() throws {
    let options = ["bench", TinyModel.base, "--prompt", "16", "--generate", "4", "--repeat", "2"]
    let json = try Facet.Child(options + ["--json"]).outcome()
    let page = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    // The keys that tools which compare with llama.cpp read.
    for key in [
      "model", "threads", "prompt", "generate", "prefill_tokens_per_s", "decode_tokens_per_s",
      "prefill_runs", "decode_runs",
    ] { #expect(page[key] != nil, "\(key)") }
    #expect(page["model"] as? String == "tiny.gguf")
    #expect((page["prefill_runs"] as? [Double])?.count == 2)
    let table = try Facet.Child(options).outcome()
    #expect(table.output.hasPrefix("1 threads, fast, "))
    #expect(table.output.contains("tiny.gguf  prefill      16      1      0"))
    #expect(table.output.contains("tiny.gguf  decode        4      1     16"))
  }

  @Test("plan adds up what weights and cache take, before anything is loaded")
  func plan() throws {
    struct Page: Decodable {
      var context: Int
      var weights: Int
      var cache: Int
      var scratch: Int
      var total: Int
      var longest_context: Int
      var fits: Bool?
    }
    func page(_ context: Int, _ type: String = "f32") throws -> Page {
      let outcome = try Facet.run(
        "plan", TinyModel.base, "--context", "\(context)", "--kv-type", type, "--json")
      #expect(outcome.status == 0)
      return try JSONDecoder().decode(Page.self, from: Data(outcome.output.utf8))
    }
    let small = try page(512)
    let large = try page(1024)
    #expect(small.weights == TinyModel.weightByteCount)
    // Keys and values of 512 more tokens in f32.
    #expect(large.cache - small.cache == 512 * 2 * TinyModel.layers * TinyModel.width * 4)
    #expect(try page(512, "bf16").cache * 2 == small.cache)
    #expect(small.total == small.weights + small.cache + small.scratch)
    #expect(small.fits ?? true)
    #expect(small.longest_context == TinyModel.context)
    let table = try Facet.run("plan", TinyModel.base, "--context", "512")
    #expect(table.output.contains("weights"))
    #expect(
      table.output.hasSuffix(
        "It fits. The longest context that fits is 65536 tokens, all that the model takes.\n"))
  }

  @Test("what does not fit is refused before it is loaded, and the plan says what would fit")
  func tooLarge() throws {
    let context = "\(TinyModel.vastContext)"
    let plan = try Facet.run("plan", TinyModel.vast, "--context", context)
    #expect(plan.status == 1)
    #expect(plan.output.contains("It does not fit. The longest context that fits is "))
    let json = try Facet.run("plan", TinyModel.vast, "--context", context, "--json")
    let page = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(page["fits"] as? Bool == false)
    let longest = try #require(page["longest_context"] as? Int)
    #expect(longest > 8192 && longest < TinyModel.vastContext)
    let fitting = try Facet.run("plan", TinyModel.vast, "--context", "\(longest / 2)")
    #expect(fitting.status == 0)
    let run = try Facet.run("run", TinyModel.vast, "Hello", "--context", context)
    #expect(run.status == 1)
    #expect(run.error.hasPrefix("facet: The cache for a context of \(context) tokens takes "))
    #expect(run.error.hasSuffix(" of memory are available. Use a smaller context.\n"))
  }

  @Test("show describes a file, its metadata and its template")
  func show() throws {
    let card = try Facet.run("show", TinyModel.instructed)
    #expect(card.status == 0)
    for line in [
      "name          Tiny Instruct", "architecture  llama", "context       65536 tokens",
      "chat format   chatML",
    ] { #expect(card.output.contains(line + "\n"), "\(line)") }
    let base = try Facet.run("show", TinyModel.base)
    #expect(base.output.contains("chat format   none: a base model continues text\n"))
    let template = try Facet.run("show", TinyModel.instructed, "--template")
    #expect(template.output == "{{ '<|im_start|>' }} of a test\n")
    let metadata = try Facet.run("show", TinyModel.base, "--metadata")
    #expect(metadata.output.contains("llama.block_count"))
    let json = try Facet.run("show", TinyModel.base, "--json", "--metadata")
    let page = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect((page["card"] as? [String: Any])?["architecture"] as? String == "llama")
    #expect((page["metadata"] as? [Any])?.isEmpty == false)
  }
}
