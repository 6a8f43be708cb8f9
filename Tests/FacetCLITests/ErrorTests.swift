// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Testing

/// What is wrong with a call, in one sentence on standard error, and nothing on standard output.
@Suite("Errors of the command")
struct ErrorTests {
  /// A call that fails, and all that it says.
  struct Case: CustomTestStringConvertible {
    var arguments: [String]
    var sentence: String
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ arguments: String..., says sentence: String) {
      self.arguments = arguments
      self.sentence = sentence
    }
  }

  static let failures: [Case] = [
    Case(
      "run", "gemma3:270x", "Hi",
      says: "There is no model 'gemma3:270x'. Did you mean gemma3:270m? facet list --all shows the "
        + "models that can be pulled; any repository of the Hugging Face Hub is hf:owner/name."),
    Case(
      "run", "gemma3:270x",
      says: "There is no model 'gemma3:270x'. Did you mean gemma3:270m? facet list --all shows the "
        + "models that can be pulled; any repository of the Hugging Face Hub is hf:owner/name."),
    Case(
      "run", "./missing.gguf", says: "There is no file or directory './missing.gguf'."),
    Case(
      "run", "hf:nobody", "Hi",
      says: "'hf:nobody' does not name a model of the Hugging Face Hub. Write hf:owner/name, "
        + "hf:owner/name@revision or hf:owner/name:file.gguf."),
    Case(
      "run", "a model", "Hi",
      says: "'a model' is neither a file nor a directory, nor a model name."),
    Case(
      "run", TinyModel.base, "",
      says: "The prompt is empty; give at least one character, or no prompt at all for a chat."),
    Case(
      "run", TinyModel.base,
      says: "The prompt is empty; give at least one character, or no prompt at all for a chat."),
    Case(
      "run", TinyModel.base, "Hi", "--system", "Be brief.",
      says: "Tiny is a base model and knows no system text; leave --system out."),
    Case(
      "run", TinyModel.base, "Hello", "--context", "4",
      says:
        "The prompt has 6 tokens and the context 4. Shorten the prompt, or use a larger context "
        + "(this model takes up to 65536)."),
    Case(
      "run", TinyModel.base, "Hello", "--context", "70000",
      says: "A context of 70000 tokens is asked for; Tiny takes between 1 and 65536."),
    Case(
      "plan", TinyModel.base, "--context", "0",
      says: "A context of 0 tokens is asked for; the model takes between 1 and 65536."),
    Case(
      "pull", "no-such-model",
      says:
        "There is no model 'no-such-model:latest'. facet list --all shows the models that can be "
        + "pulled; any repository of the Hugging Face Hub is hf:owner/name."),
    Case(
      "show", "gemma3:270m",
      says: "'gemma3:270m' is not on this machine yet. Fetch it: facet pull gemma3:270m"),
    Case(
      "show", TinyModel.base, "--template", says: "'\(TinyModel.base)' carries no chat template."),
    Case(
      "show", TinyModel.base, "--licence",
      says:
        "'\(TinyModel.base)' is a file of its own, and Facet knows no licence of it; ask where it "
        + "came from."),
    Case("rm", "mine", says: "'mine:latest' is not in the library. facet list shows what is."),
    Case(
      "cp", "mine", "yours", says: "'mine:latest' is not in the library. facet list shows what is."),
    Case(
      "detokenize", TinyModel.base, "7", "x",
      says: "'x' is not a token of this model; ids are 0 to \(TinyModel.pieces.count - 1)."),
    Case(
      "detokenize", TinyModel.base, "9999",
      says: "'9999' is not a token of this model; ids are 0 to \(TinyModel.pieces.count - 1)."),
    Case(
      "perplexity", TinyModel.base, "missing.txt",
      says: "There is no file 'missing.txt' that can be read."),
    Case(
      "quantize", TinyModel.base, TinyModel.base, "--type", "Q8_0",
      says:
        "'\(TinyModel.base)' is there already. Choose another name or allow overwriting (--force)."
    ),
    Case(
      "quantize", TinyModel.base, TinyModel.folder + "/none/x.gguf", "--type", "Q8_0",
      says: "Cannot write '\(TinyModel.folder)/none/x.gguf': No such file or directory."),
    Case(
      "quantize", TinyModel.base, "x.gguf", "--type", "Q8_0", "--importance", "missing.gguf",
      says: "There is no file 'missing.gguf'."),
    Case(
      "importance", TinyModel.base, "missing.txt", "-o", TinyModel.folder + "/none/x.gguf",
      says: "No file can be written into '\(TinyModel.folder)/none'. Choose another folder."),
    Case(
      "importance", TinyModel.base, "missing.txt", "-o", TinyModel.base,
      says: "'\(TinyModel.base)' is there already. Choose another name or give --force."),
    Case(
      "importance", TinyModel.base, "missing.txt", "-o", TinyModel.folder,
      says: "'\(TinyModel.folder)' is a directory; name a file to write."),
    Case(
      "bench", "--from", TinyModel.base,
      says:
        "'\(TinyModel.base)' is no result of facet bench. Make one with --format json or --json."),
    Case(
      "compare", TinyModel.base, TinyModel.instructed, "missing.txt",
      says: "There is no file 'missing.txt' that can be read."),
  ]

  @Test("what cannot be done exits with 1 and one sentence", arguments: failures)
  func failing(_ failure: Case) throws {
    let outcome = try Facet.Child(failure.arguments).outcome()
    #expect(outcome.status == 1)
    #expect(outcome.error == "facet: \(failure.sentence)\n")
    #expect(outcome.output == "")
  }

  static let misuses: [Case] = [
    Case(
      "run", "--temperature", "-1", "Hi",
      says: "The temperature is -1.0; it must be 0 (always the likeliest token) or more."),
    Case("run", "--top-k", "-1", "Hi", says: "Top-k is -1; it must be 0 (off) or more."),
    Case(
      "run", "--top-p", "0", "Hi", says: "Top-p is 0.0; it must lie above 0 and be at most 1 (off)."
    ),
    Case("run", "--min-p", "2", "Hi", says: "Min-p is 2.0; it must lie between 0 (off) and 1."),
    Case("run", "--max-tokens", "0", "Hi", says: "Max-tokens is 0; it must be 1 or more."),
    Case(
      "run", "--stop", "", "Hi", says: "A stop text is empty; it must have at least one character."),
    Case("run", "--context", "0", "Hi", says: "The context is 0 tokens; it must be 1 or more."),
    Case(
      "run", "--threads", "0", "Hi",
      says: "The number of threads is 0; it must lie between 1 and 1024."),
    Case("run", "--logprobs", "2", "Hi", says: "--logprobs needs --json."),
    Case(
      "run", "--json", "--logprobs", "101", "Hi",
      says: "Log-probabilities are asked for 101 tokens; it must be between 0 and 100."),
    Case(
      "run", "--greedy", "--temperature", "1", "Hi",
      says: "--greedy means --temperature 0; give one of the two."),
    Case(
      "run", "--raw", "--system", "x", "Hi",
      says: "--raw sends no chat format, so --system has no place; give one of them."),
    Case(
      "show", "x", "--licence", "--template",
      says: "Give one of --metadata, --licence and --template."),
    Case(
      "show", "x", "--licence", "--json", says: "--json goes with the card and with --metadata."),
    Case("perplexity", "x.txt", "--chunk", "3", says: "A chunk is 3 tokens; it must be 4 or more."),
    Case(
      "perplexity", "x.txt", "--chunks", "0",
      says: "The number of chunks is 0; it must be 1 or more."),
    Case(
      "compare", "a", "b", "x.txt", "--chunks", "0",
      says: "The number of chunks is 0; it must be 1 or more."),
    Case(
      "quantize", "a", "b", "--type", "Q9",
      says: "'Q9' is no type that Facet converts to; it knows Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, "
        + "Q3_K, Q4_K_S, Q4_K_M, Q5_K_S, Q5_K_M, Q6_K, BF16, F16, F32."),
    Case("quantize", "a", "b", says: "Missing expected argument '--type <type>'"),
    Case(
      "quantize", "a", "b", "--type", "Q8_0", "--threads", "0",
      says: "The number of threads is 0; it must lie between 1 and 1024."),
    Case(
      "bench", "--repeat", "0",
      says: "0 runs after 1 to warm up cannot be measured; give 1 to 1000 and 0 to 1000."),
    Case(
      "bench", "--prompt", "0", "--generate", "0",
      says: "There is nothing to measure: give a prompt or tokens to generate."),
    Case(
      "bench", "--batch", "1,x",
      says: "The value '1,x' is invalid for '--batch <batch>'"),
    Case(
      "bench", "--json", "--prompt", "8,16",
      says: "--json is the form of one model, one --prompt and one --generate; use --format json."),
    Case(
      "bench", "a", "--from", "x.json",
      says: "--from shows a result that is there; give no model with it."),
    Case(
      "run", "--max-tokens", "many", "Hi",
      says: "The value 'many' is invalid for '--max-tokens <max-tokens>'"),
    Case(
      "run", "--logit-bias", "3", "Hi",
      says: "The value '3' is invalid for '--logit-bias <id=bias>'"),
    Case(
      "run", "--precision", "best", "Hi",
      says:
        "The value 'best' is invalid for '--precision <precision>'. Please provide one of 'exact' and 'fast'."
    ),
    Case(
      "plan", "--kv-type", "q6_K", "x",
      says:
        "The value 'q6_K' is invalid for '--kv-type <type>'. Please provide one of 'f32', 'f16', 'bf16', 'q8_0' or 'q4_0'."
    ),
    Case("run", "--no-such-flag", says: "Unknown option '--no-such-flag'"),
    Case("pull", says: "Missing expected argument '<model>'"),
    Case(
      "completions", "tcsh",
      says:
        "The value 'tcsh' is invalid for '<shell>'. Please provide one of 'bash', 'zsh' or 'fish'."
    ),
  ]

  @Test("what is not understood exits with 2, a sentence and the usage", arguments: misuses)
  func misused(_ misuse: Case) throws {
    let outcome = try Facet.Child(misuse.arguments).outcome()
    #expect(outcome.status == 2)
    let lines = outcome.error.split(separator: "\n")
    #expect(lines.first.map(String.init) == "Error: \(misuse.sentence)")
    #expect(lines.contains { $0.hasPrefix("Usage: facet \(misuse.arguments[0])") })
    #expect(outcome.output == "")
  }

  @Test("a word that is no subcommand is refused with what to write")
  func noSubcommand() throws {
    let outcome = try Facet.run("Why is the sky blue?")
    #expect(outcome.status == 2)
    #expect(
      outcome.error
        == "facet: There is no subcommand 'Why is the sky blue?'; facet --help lists them. "
        + "To send a prompt: facet run \"…\"\n")
  }

  @Test("a number of threads in the environment is read, and refused when it is none")
  func threadsOfEnvironment() throws {
    let outcome = try Facet.run(
      "run", TinyModel.base, "Hi", environment: ["FACET_THREADS": "two"])
    #expect(outcome.status == 2)
    #expect(outcome.error.hasPrefix("Error: FACET_THREADS is 'two'; it must be a whole number.\n"))
  }

  @Test(
    "kernels in the environment that this CPU lacks are refused, with those that it has",
    arguments: ["run", "bench", "perplexity", "version"])
  func unknownInstructionSet(_ command: String) throws {
    let arguments = command == "perplexity" ? [command, "x.txt"] : [command]
    #if arch(x86_64)
      let absent = ["sse9", "neon", "AVX2"]
    #else
      let absent = ["sse9", "avx2", "NEON"]
    #endif
    for name in absent {
      let outcome = try Facet.Child(arguments, environment: ["FACET_ISA": name]).outcome()
      #expect(outcome.status == 2)
      let line = outcome.error.split(separator: "\n").first ?? ""
      #expect(line.hasPrefix("Error: FACET_ISA is '\(name)'; this CPU has reference, baseline"))
      #expect(line.hasSuffix("."))
      #expect(outcome.output == "")
    }
  }
}
