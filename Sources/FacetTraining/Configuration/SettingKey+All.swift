// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer

extension SettingKey {
  /// All settings, in the order in which they are written.
  public static let all: [SettingKey] = subject + rows + progress + optimizer + adapter + keeping

  private static let subject: [SettingKey] = [
    .choice(
      "method", \.method, "what is trained", aliases: ["fine_tune_type", "train_type", "adapter"]),
    SettingKey(
      name: "model", aliases: ["model_name_or_path", "base_model"], summary: "the model",
      read: { $0.model.map { .text($0) } ?? .null },
      write: { configuration, value in
        guard value == .null || value.text != nil else { return false }
        configuration.model = value.text
        return true
      },
      requirement: "be the name of a model"),
    .texts("data", \.data, "files of rows", aliases: ["train_file", "dataset", "dataset_name"]),
    .texts(
      "validation", \.validation, "files of rows to evaluate on",
      aliases: ["validation_file", "eval_file", "test_datasets"]),
    .number(
      "validation_split", \.validationSplit, 0...0.9, "share of the rows held out",
      aliases: ["val_set_size", "eval_split", "test_size"]),
    .text("output_dir", \.outputDirectory, "where everything goes", aliases: ["adapter_path"]),
  ]

  private static let rows: [SettingKey] = [
    .integer(
      "max_length", \.maxLength, 2...1_048_576, "most tokens of a row",
      aliases: ["max_seq_length", "sequence_len", "cutoff_len", "max_seq_len"]),
    .choice("overlong", \.overlong, "what becomes of longer rows"),
    .flag("skip_invalid", \.skipInvalid, "leave out rows that cannot be read"),
    .flag(
      "assistant_only_loss", \.assistantOnlyLoss, "train only what the assistant says",
      aliases: ["completion_only_loss", "mask_prompt"]),
    .flag(
      "packing", \.packing, "put several rows into one sequence", aliases: ["sample_packing"]),
    SettingKey(
      name: "chat_format", aliases: ["chat_template"],
      summary: "the format that a base model is taught to converse in",
      read: { $0.chatFormat.map { .text($0.rawValue) } ?? .null },
      write: { configuration, value in
        guard let text = value.text else {
          configuration.chatFormat = nil
          return value == .null
        }
        configuration.chatFormat = ChatFormat(rawValue: text).flatMap {
          $0.template == nil ? nil : $0
        }
        return configuration.chatFormat != nil
      },
      requirement: "be null or one of "
        + ChatFormat.teachable.map(\.rawValue).joined(separator: ", ")),
    .text("dataset_text_field", \.textField, "the field of plain text", aliases: ["text_feature"]),
  ]

  private static let progress: [SettingKey] = [
    .optionalInteger(
      "max_steps", \.maxSteps, 1...1_000_000_000, "steps of the optimiser", aliases: ["iters"],
      none: -1),
    .number(
      "num_train_epochs", \.epochs, 0.001...100_000, "times that all rows are seen",
      aliases: ["epochs", "num_epochs"]),
    .integer(
      "per_device_train_batch_size", \.batchSize, 1...65536, "rows of a micro-batch",
      aliases: ["batch_size", "micro_batch_size", "train_batch_size"]),
    .integer(
      "per_device_eval_batch_size", \.evaluationBatchSize, 1...65536,
      "rows of a micro-batch of the evaluation", aliases: ["eval_batch_size"]),
    .integer(
      "gradient_accumulation_steps", \.accumulationSteps, 1...65536, "micro-batches of a step",
      aliases: ["grad_accumulation_steps"]),
    .optionalNumber(
      "learning_rate", \.learningRate, 0...10, "the highest learning rate", aliases: ["lr"]),
    .choice(
      "lr_scheduler_type", \.schedule, "how the learning rate falls", aliases: ["lr_scheduler"],
      also: ["constant_with_warmup": .constant]),
    .optionalInteger(
      "warmup_steps", \.warmupSteps, 0...1_000_000_000, "steps of the warm-up",
      aliases: ["warmup", "num_warmup_steps"]),
    .number("warmup_ratio", \.warmupRatio, 0...1, "share of the steps that is warm-up"),
  ]

  private static let optimizer: [SettingKey] = [
    .choice(
      "optim", \.optimizer, "the optimiser", aliases: ["optimizer"],
      also: [
        "adamw": .adamW, "adam": .adamW, "adamw_hf": .adamW, "adamw_torch_fused": .adamW,
        "adamw_bnb_8bit": .adamW8Bit, "paged_adamw_8bit": .adamW8Bit, "lion_32bit": .lion,
      ]),
    .number("weight_decay", \.weightDecay, 0...10, "what weights shrink by"),
    .number("adam_beta1", \.beta1, 0...0.999999, "how much of the first moment is kept"),
    .optionalNumber("adam_beta2", \.beta2, 0...0.999999, "how much of the second moment is kept"),
    .number("adam_epsilon", \.epsilon, 1e-30...1, "what the second moment's root is raised by"),
    .number("momentum", \.momentum, 0...0.999999, "how much of its last direction SGD keeps"),
    .number(
      "max_grad_norm", \.maxGradientNorm, 0...1e9, "the longest gradient, 0 for any",
      aliases: ["grad_clip", "gradient_clipping"]),
    .optionalNumber(
      "ema_decay", \.averageDecay, 0...0.999999,
      "how much of a running mean of the weights is kept; the result is the mean"),
  ]

  private static let adapter: [SettingKey] = [
    .integer(
      "lora_r", \.loraRank, 1...65536, "rank of the adapter",
      aliases: ["r", "rank", "lora_rank", "lora.rank", "lora.r", "lora_parameters.rank"]),
    .number(
      "lora_alpha", \.loraAlpha, 1e-6...1e6, "what it adds is scaled by this over the rank",
      aliases: ["alpha", "lora.alpha", "lora.lora_alpha", "lora_parameters.alpha"]),
    .number(
      "lora_dropout", \.loraDropout, 0...0.99, "share of its inputs left out",
      aliases: ["lora.dropout", "lora_parameters.dropout"]),
    .texts(
      "lora_target_modules", \.targetModules, "modules that get an adapter",
      aliases: ["target_modules", "lora.target_modules", "lora_parameters.keys", "lora.keys"]),
    .flag(
      "use_rslora", \.usesRSLoRA, "scale over the root of the rank", aliases: ["lora.use_rslora"]),
    .flag(
      "use_dora", \.usesDoRA, "rows keep lengths of their own",
      aliases: ["lora.use_dora", "peft_use_dora"]),
    ranks, alphas, layers,
    .optionalInteger(
      "num_layers", \.lastLayers, 1...100_000, "the last so many layers get one",
      aliases: ["lora_layers"], none: -1),
  ]

  private static let ranks = SettingKey(
    name: "rank_pattern", aliases: ["lora.rank_pattern"], summary: "other ranks for some modules",
    read: { .map($0.rankPattern.mapValues { .integer($0) }) },
    write: { configuration, value in
      guard case .map(let values) = value else { return false }
      let ranks = values.compactMapValues(\.integer).filter { (1...65536).contains($0.value) }
      guard ranks.count == values.count else { return false }
      configuration.rankPattern = ranks
      return true
    },
    requirement: "give a whole number between 1 and 65536 for each pattern")

  private static let alphas = SettingKey(
    name: "alpha_pattern", aliases: ["lora.alpha_pattern"],
    summary: "other alphas for some modules",
    read: { .map($0.alphaPattern.mapValues { .number($0) }) },
    write: { configuration, value in
      guard case .map(let values) = value else { return false }
      let alphas = values.compactMapValues(\.number).filter { (1e-6...1e6).contains($0.value) }
      guard alphas.count == values.count else { return false }
      configuration.alphaPattern = alphas
      return true
    },
    requirement: "give a number between 1e-06 and 1000000 for each pattern")

  private static let layers = SettingKey(
    name: "layers_to_transform", aliases: ["lora.layers_to_transform"],
    summary: "the layers that get an adapter",
    read: { .list($0.layersToTransform.map { .integer($0) }) },
    write: { configuration, value in
      let layers = value.list.compactMap(\.integer).filter { $0 >= 0 }
      guard layers.count == value.list.count else { return false }
      configuration.layersToTransform = layers
      return true
    },
    requirement: "be a list of numbers of layers, the first of which is 0")

  private static let keeping: [SettingKey] = [
    .integer(
      "logging_steps", \.loggingSteps, 1...1_000_000_000, "steps between two lines of metrics",
      aliases: ["steps_per_report"]),
    .choice(
      "eval_strategy", \.evaluationStrategy, "when the model is evaluated",
      aliases: ["evaluation_strategy"]),
    .optionalInteger(
      "eval_steps", \.evaluationSteps, 1...1_000_000_000, "steps between two evaluations",
      aliases: ["steps_per_eval"]),
    .choice("save_strategy", \.saveStrategy, "when a checkpoint is written"),
    .optionalInteger(
      "save_steps", \.saveSteps, 1...1_000_000_000, "steps between two checkpoints",
      aliases: ["save_every"]),
    .optionalInteger(
      "save_total_limit", \.saveTotalLimit, 1...1_000_000, "checkpoints kept, besides the best"),
    .flag(
      "load_best_model_at_end", \.loadsBestModel, "the result is the best checkpoint"),
    SettingKey(
      name: "seed", aliases: ["data_seed"], summary: "what all chance follows from",
      read: { .integer(Int(truncatingIfNeeded: $0.seed)) },
      write: { configuration, value in
        guard let seed = value.integer, seed >= 0 else { return false }
        configuration.seed = UInt64(seed)
        return true
      },
      requirement: "be a whole number of at least 0"),
  ]

  /// Settings of other trainers that change nothing here, and why.
  static let without: [String: String] = [
    "bf16": "the arithmetic follows --precision",
    "fp16": "half precision overflows in Gemma; the arithmetic follows --precision",
    "tf32": "it is of graphics cards",
    "gradient_checkpointing": "activations are kept or computed again as the memory allows",
    "grad_checkpoint": "activations are kept or computed again as the memory allows",
    "activation_offloading": "there is one memory",
    "report_to": "metrics.jsonl, TensorBoard files and a report are always written",
    "logging_strategy": "logging_steps decides",
    "metric_for_best_model": "it is the evaluation loss",
    "greater_is_better": "the least evaluation loss is best",
    "remove_unused_columns": "fields that are not needed are not read",
    "dataloader_num_workers": "rows are read once",
    "loss_type": "the loss is the cross-entropy, in pieces",
    "packing_strategy": "it is best fit, decreasing",
    "padding_free": "there is never padding",
    "pad_to_multiple_of": "there is never padding",
    "bias": "the models have none",
    "task_type": "it is a causal language model",
    "peft_type": "it is LoRA",
    "use_peft": "method decides",
    "load_in_4bit": "the base stays in its own type; method: qlora",
    "load_in_8bit": "the base stays in its own type; method: qlora",
    "test_batches": "all rows are evaluated",
    "val_batches": "all rows are evaluated",
    "train": "this is training",
    "test": "this is training",
    "push_to_hub": "nothing leaves the machine",
    "overwrite_output_dir": "--resume goes on; another run needs a directory of its own",
  ]

  /// The key of that name or alias.
  public static func named(_ name: String) -> SettingKey? { byName[name] }

  private static let byName: [String: SettingKey] = {
    var names: [String: SettingKey] = [:]
    for key in all {
      for name in [key.name] + key.aliases { names[name] = key }
    }
    return names
  }()

  /// The name that is nearest to a wrong one; nil when none is near.
  static func nearest(to wrong: String) -> String? {
    let names = byName.keys.sorted() + ["lora_parameters.scale"]
    let distances = names.map { (name: $0, distance: SpellingDistance.between(wrong, $0)) }
    guard let best = distances.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }) else {
      return nil
    }
    return best.distance <= max(2, wrong.count / 3) ? best.name : nil
  }
}
