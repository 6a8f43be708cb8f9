// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Testing

/// `facet run` with a prompt.
@Suite("facet run")
struct RunTests {
  static let short = ["--greedy", "--max-tokens", "24"]

  /// An event of `--json`.
  struct Event: Decodable {
    struct Alternative: Decodable {
      var id: Int
      var piece: String
      var logprob: Float
    }
    var event: String
    var id: Int?
    var text: String?
    var logprob: Float?
    var top_logprobs: [Alternative]?
    var done: Int?
    var total: Int?
    var reason: String?
    var stop: String?
    var prompt_tokens: Int?
    var cached_tokens: Int?
    var generated_tokens: Int?
    var prefill_s: Double?
    var decode_s: Double?
    var prefill_tokens_per_s: Double?
    var decode_tokens_per_s: Double?
    var seed: UInt64?
  }

  static func run(_ arguments: [String], input: String = "") throws -> Facet.Outcome {
    try Facet.Child(["run"] + arguments, input: input).outcome()
  }

  static func events(_ arguments: [String]) throws -> [Event] {
    let output = try run(arguments + ["--json"]).output
    return try output.split(separator: "\n").map {
      try JSONDecoder().decode(Event.self, from: Data($0.utf8))
    }
  }

  @Test("the answer alone goes to standard output, and ends in one newline")
  func plain() throws {
    let outcome = try Self.run([TinyModel.base, "Hello"] + Self.short)
    #expect(outcome.status == 0)
    #expect(outcome.error == "")
    #expect(outcome.output.count > 20 && outcome.output.count <= 25)
    #expect(outcome.output.hasSuffix("\n") && !outcome.output.hasSuffix("\n\n"))
  }

  @Test("newlines at the end of an answer become one")
  func newlines() throws {
    let newline = "\(TinyModel.token("\n"))=1000"
    let outcome = try Self.run([TinyModel.base, "Hello", "--logit-bias", newline] + Self.short)
    #expect(outcome.output == "\n")
  }

  @Test("the events of --json hold the same answer, and their counts agree")
  func json() throws {
    let arguments = [TinyModel.base, "Hello"] + Self.short
    let plain = try Self.run(arguments).output
    let events = try Self.events(arguments + ["--logprobs", "3"])
    #expect(events.compactMap(\.text).joined() + "\n" == plain)
    let tokens = events.filter { $0.event == "token" }
    #expect(tokens.count == 24)
    for token in tokens {
      let top = try #require(token.top_logprobs)
      #expect(top.count == 3)
      #expect(top.map(\.logprob) == top.map(\.logprob).sorted(by: >))
      // Greedy: the token drawn is the likeliest.
      #expect(top[0].id == token.id && top[0].logprob == token.logprob)
      #expect(top[0].piece == TinyModel.pieces[top[0].id])
    }
    let last = try #require(events.last)
    #expect(last.event == "finished" && last.reason == "max_tokens")
    #expect(last.prompt_tokens == 6 && last.generated_tokens == 24 && last.cached_tokens == 0)
    #expect(last.seed != nil && last.stop == nil)
    for time in [
      last.prefill_s, last.decode_s, last.prefill_tokens_per_s, last.decode_tokens_per_s,
    ] { #expect((time ?? 0) > 0) }
    let prefill = events.filter { $0.event == "prefill" }
    #expect(prefill.last?.done == 6 && prefill.last?.total == 6)
    #expect(Set(events.map(\.event)) == ["prefill", "token", "finished"])
  }

  @Test("a seed repeats an answer; the seed that was drawn is told and repeats it too")
  func seeds() throws {
    let arguments = [TinyModel.base, "Hello", "--max-tokens", "24"]
    let first = try Self.events(arguments)
    let seed = try #require(first.last?.seed)
    #expect(seed < 1 << 53)
    let text = first.compactMap(\.text).joined()
    let again = try Self.run(arguments + ["--seed", "\(seed)"]).output
    #expect(again == text + "\n")
    #expect(try Self.run(arguments + ["--seed", "\(seed ^ 1)"]).output != again)
  }

  @Test("standard input is the prompt where there is none, less the newline at its end")
  func standardInput() throws {
    let given = try Self.run([TinyModel.base, "Hello"] + Self.short)
    let piped = try Self.run([TinyModel.base] + Self.short, input: "Hello\n")
    #expect(piped.output == given.output)
    let twice = try Self.run([TinyModel.base] + Self.short, input: "Hello\n\n")
    let kept = try Self.run([TinyModel.base, "Hello\n"] + Self.short)
    #expect(twice.output == kept.output)
  }

  @Test("a continuation stops after 128 tokens unless told otherwise")
  func continuationLength() throws {
    let events = try Self.events([TinyModel.base, "Hello"])
    #expect(events.last?.generated_tokens == 128)
    #expect(events.last?.reason == "max_tokens")
  }

  @Test("a stop text ends the answer, and is told")
  func stops() throws {
    let answer = try Self.run([TinyModel.base, "Hello"] + Self.short).output
    let stop = String(answer.dropFirst(10).prefix(2))
    let cut = answer.ranges(of: stop)[0].lowerBound
    let arguments = [TinyModel.base, "Hello", "--stop", stop] + Self.short
    let kept = String(answer[..<cut])
    let outcome = try Self.run(arguments).output
    #expect(outcome.trimmingCharacters(in: .newlines) == kept.trimmingCharacters(in: .newlines))
    let last = try Self.events(arguments).last
    #expect(last?.reason == "stop_text" && last?.stop == stop)
  }

  @Test("an instruction-tuned model is asked in its chat format, and raw with --raw")
  func instructed() throws {
    let chat = try Self.events([TinyModel.instructed, "Hello"] + Self.short)
    // <|im_start|>user⏎Hello<|im_end|>⏎<|im_start|>assistant⏎, and the beginning of sequence.
    #expect(chat.last?.prompt_tokens == 1 + 1 + 10 + 1 + 1 + 1 + 10)
    let raw = try Self.events([TinyModel.instructed, "Hello", "--raw"] + Self.short)
    #expect(raw.last?.prompt_tokens == 6)
    let system = try Self.events([TinyModel.instructed, "Hello", "--system", "Hm"] + Self.short)
    #expect(system.last?.prompt_tokens == 25 + 1 + 9 + 1 + 1)
  }

  @Test("an instruction-tuned model runs to the end of its turn")
  func endOfTurn() throws {
    // A weak bias: the end of the turn is one draw among others, and comes after a while.
    let events = try Self.events([
      TinyModel.instructed, "Hello", "--logit-bias", "\(TinyModel.endOfTurn)=1000",
    ])
    #expect(events.last?.reason == "end_of_turn")
    #expect(events.last?.generated_tokens == 1)
    #expect(events.compactMap(\.text).joined() == "")
  }

  @Test("a full context ends the answer and says so")
  func contextFull() throws {
    let outcome = try Self.run([TinyModel.base, "Hello", "--context", "10", "--max-tokens", "50"])
    #expect(outcome.status == 0)
    #expect(
      outcome.error == "facet: the context of 10 tokens is full; --context sets a larger one.\n")
  }

  @Test("--verbose tells timings on standard error")
  func verbose() throws {
    let outcome = try Self.run([TinyModel.base, "Hello", "--verbose"] + Self.short)
    #expect(outcome.error.contains("prompt 6 tokens (0 from the cache)"))
    #expect(outcome.error.contains("answer 24 tokens"))
  }

  @Test("Ctrl-C ends an answer with what there is of it, and 130")
  func interrupt() throws {
    let arguments = ["run", TinyModel.base, "Hello", "--max-tokens", "60000", "--context", "65536"]
    let child = try Facet.Child(arguments)
    let beginning = child.output.fileHandleForReading.readData(ofLength: 50)
    child.process.interrupt()
    let outcome = child.outcome()
    #expect(beginning.count == 50)
    #expect(outcome.status == 130)
    #expect(outcome.error == "")
    #expect(outcome.output.hasSuffix("\n"))
    #expect(outcome.output.count < 59000)
  }

  @Test("a reader that has had enough ends the command quietly")
  func brokenPipe() throws {
    let arguments = ["run", TinyModel.base, "Hello", "--max-tokens", "60000", "--context", "65536"]
    let child = try Facet.Child(arguments)
    _ = child.output.fileHandleForReading.readData(ofLength: 50)
    try child.output.fileHandleForReading.close()
    child.process.waitUntilExit()
    #expect(child.process.terminationStatus == 0)
    #expect(child.process.terminationReason == .exit)
    #expect(child.error.fileHandleForReading.readDataToEndOfFile().isEmpty)
  }

  @Test("one argument that names no model is a prompt for the default model")
  func onlyPrompt() throws {
    // Without python3 the default model cannot be pulled, and the error says what was tried.
    let outcome = try Facet.run("run", "The capital of France is", environment: ["PATH": "/none"])
    #expect(outcome.status == 1)
    #expect(outcome.error.contains("'python3' was not found."))
    #expect(outcome.error.contains("Gemma Terms of Use"))
  }

  @Test("FACET_ISA chooses the kernels: each set of this CPU gives its name and the same text")
  func instructionSets() throws {
    let refusal = try Facet.run("version", environment: ["FACET_ISA": "none"]).error
    let list = refusal.split(separator: "\n").first?.split(separator: ";").last ?? ""
    let names = list.dropFirst(" this CPU has ".count).dropLast().split(separator: ", ")
    #expect(names.prefix(2) == ["reference", "baseline"])
    let arguments = ["run", TinyModel.base, "Hello", "--precision", "exact"] + Self.short
    let expected = try Facet.Child(arguments).outcome().output
    #expect(expected.count > 20)
    for name in names.map(String.init) {
      let environment = ["FACET_ISA": name]
      let version = try Facet.run("version", environment: environment).output
      #expect(version.hasSuffix(", \(name))\n"))
      let outcome = try Facet.Child(arguments, environment: environment).outcome()
      #expect(outcome.error == "")
      #expect(outcome.output == expected, "\(name)")
    }
  }
}
