// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetModel
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Testing

@Suite("Language model")
struct LanguageModelTests {
  @Test(
    "a GGUF file and a Hugging Face directory of one model are the same model",
    arguments: [
      "gemma1", "gemma2", "gemma3", "llama", "mistral",
    ])
  func formats(family: String) throws {
    let exact = LanguageModel.LoadOptions(threads: 2, precision: .exact)
    let gguf = try Fixture(family).model
    let directory = try LanguageModel.load(
      path: Goldens.path("fixtures/\(family)/hf"), options: exact)
    #expect(directory.card.format == .safetensors && gguf.card.format == .gguf)
    #expect(directory.card.parameterCount == gguf.card.parameterCount)
    #expect(directory.tokenizer.special.bos == gguf.tokenizer.special.bos)
    #expect(directory.tokenizer.special.eos == gguf.tokenizer.special.eos)
    let text = "A stone that is cut has 12 facets.\n\n  let total = 7 + 30\nDer Regen — 雨."
    let prompt = gguf.prompt(text)
    #expect(directory.prompt(text) == prompt)
    #expect(prompt.tokens == (try Fixture.golden("long", family: family)).tokens)
    #expect(prompt.tokens.count { $0 == gguf.tokenizer.special.bos } == 1)
  }

  @Test("a base model refuses a conversation and says what to do")
  func baseModel() throws {
    let model = try Fixture().model
    try #require(model.chatFormat == nil)
    var message = ""
    do { _ = try model.prompt([ChatMessage(.user, "Hello")]) } catch { message = "\(error)" }
    #expect(
      message
        == "\(model.card.name) is a base model: it continues texts and knows no conversation. Give it a "
        + "text to go on with, or use an instruction-tuned model.")
  }

  @Test("threads out of range are refused")
  func threads() throws {
    for threads in [0, -3, 1025] {
      var message = ""
      do {
        _ = try LanguageModel.load(path: try Fixture().path, options: .init(threads: threads))
      } catch { message = "\(error)" }
      #expect(
        message == "The number of threads is \(threads); it must lie between 1 and 1024.")
    }
    #expect(try Fixture(threads: 3).model.threadCount == 3)
  }

  @Test("keys and values are kept in five types, and in no other")
  func keyValueTypes() throws {
    var message = ""
    do {
      _ = try LanguageModel.load(path: try Fixture().path, options: .init(keyValueType: .q6_K))
    } catch { message = "\(error)" }
    #expect(
      message
        == "Keys and values cannot be kept as Q6_K; choose one of F32, F16, BF16, Q8_0, Q4_0.")
    let checkpoint = try Checkpoint.open(try Fixture().path)
    for dtype in KVCache.dtypes {
      let options = LanguageModel.LoadOptions(threads: 2, keyValueType: dtype)
      let model = try LanguageModel(checkpoint, options: options)
      #expect(model.transformer.cacheDType == dtype)
      let session = try Session(model, context: 100)
      let plan = try MemoryPlan(checkpoint, context: 100, options: options)
      #expect(session.byteCount == plan.cache)
      #expect(
        plan.cache
          == KVCache.byteCount(
            model.configuration, capacity: 100, chunk: Session.chunk, dtype: dtype))
    }
  }

  @Test("kernels that this CPU lacks are refused, and those that it has are used")
  func instructionSets() throws {
    for set in InstructionSet.allCases {
      let options = LanguageModel.LoadOptions(precision: .exact, instructionSet: set)
      if set.isAvailable {
        #expect(
          try LanguageModel.load(path: Fixture().path, options: options).instructionSet == set)
        continue
      }
      var message = ""
      do { try options.validate() } catch { message = "\(error)" }
      #expect(message == "This CPU does not have the instruction set '\(set.rawValue)'.")
    }
  }

  @Test("the card says what the file holds")
  func card() throws {
    let card = try Fixture().model.card
    #expect(card.architecture == "gemma3")
    #expect(card.contextLength == 256)
    #expect(card.dtypes.reduce(0) { $0 + $1.bytes } <= card.byteCount)
    #expect(card.dtypes.map(\.bytes) == card.dtypes.map(\.bytes).sorted(by: >))
    #expect(card.parameterCount > 100_000 && card.parameterCount < 1_000_000)
  }

  @Test("a missing file is named")
  func missing() {
    var message = ""
    do { _ = try LanguageModel.load(path: "/nowhere/model.gguf") } catch { message = "\(error)" }
    #expect(message == "There is no file or directory '/nowhere/model.gguf'.")
  }
}
