// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTraining
import Foundation
import Testing

@Suite("Configurations of training")
struct TrainingConfigurationTests {
  private static func read(_ yaml: String) throws -> TrainingConfiguration {
    try TrainingConfiguration(yaml: yaml, path: "run.yaml")
  }

  private static func message(of yaml: String) -> String {
    do {
      _ = try read(yaml)
      return "no error"
    } catch {
      return (error as? TrainingError)?.message ?? "\(error)"
    }
  }

  private static func message(setting assignment: String) -> String {
    var reader = SettingReader()
    do {
      try reader.read(assignment: assignment)
      return "no error"
    } catch {
      return error.message
    }
  }

  @Test("TRL's and PEFT's keys are read")
  func trl() throws {
    let configuration = try Self.read(
      """
      model_name_or_path: gemma3:270m
      dataset_name: rows.jsonl
      learning_rate: 2e-5        # which YAML 1.1 takes for text
      max_steps: -1
      num_train_epochs: 2
      per_device_train_batch_size: 8
      gradient_accumulation_steps: 2
      max_length: 512
      packing: true
      lr_scheduler_type: constant_with_warmup
      warmup_ratio: 0.1
      optim: adamw_bnb_8bit
      weight_decay: .01
      adam_beta2: 0.95
      max_grad_norm: 0.3
      completion_only_loss: false
      eval_strategy: steps
      eval_steps: 50
      save_strategy: "no"
      save_total_limit: null
      r: 32
      lora_alpha: 64
      target_modules: [q_proj, v_proj]
      use_rslora: true
      rank_pattern: {layers.0.*: 4}
      seed: 7
      """)
    #expect(configuration.model == "gemma3:270m")
    #expect(configuration.data == ["rows.jsonl"])
    #expect(configuration.learningRate == 2e-5)
    #expect(configuration.maxSteps == nil)
    #expect(configuration.epochs == 2)
    #expect(configuration.batchSize == 8)
    #expect(configuration.accumulationSteps == 2)
    #expect(configuration.maxLength == 512)
    #expect(configuration.packing)
    #expect(configuration.schedule == .constant)
    #expect(configuration.warmupRatio == 0.1)
    #expect(configuration.optimizer == .adamW8Bit)
    #expect(configuration.weightDecay == 0.01)
    #expect(configuration.beta2 == 0.95)
    #expect(configuration.maxGradientNorm == 0.3)
    #expect(!configuration.assistantOnlyLoss)
    #expect(configuration.evaluationStrategy == .steps)
    #expect(configuration.evaluationSteps == 50)
    #expect(configuration.saveStrategy == .no)
    #expect(configuration.saveTotalLimit == nil)
    #expect(configuration.loraRank == 32)
    #expect(configuration.loraAlpha == 64)
    #expect(configuration.targetModules == ["q_proj", "v_proj"])
    #expect(configuration.usesRSLoRA)
    #expect(configuration.rankPattern == ["layers.0.*": 4])
    #expect(configuration.seed == 7)
  }

  @Test("mlx_lm's keys are read, its scale as alpha over rank")
  func mlx() throws {
    let configuration = try Self.read(
      """
      fine_tune_type: dora
      iters: 600
      batch_size: 2
      num_layers: 8
      lora_parameters: {scale: 20.0, rank: 8, dropout: 0.1, keys: [self_attn.q_proj]}
      mask_prompt: true
      save_every: 100
      steps_per_eval: 50
      steps_per_report: 5
      max_seq_length: 256
      grad_accumulation_steps: 4
      grad_checkpoint: true
      """)
    #expect(configuration.method == .lora && configuration.usesDoRA)
    #expect(configuration.maxSteps == 600)
    #expect(configuration.batchSize == 2)
    #expect(configuration.lastLayers == 8)
    #expect(configuration.loraRank == 8)
    #expect(configuration.loraAlpha == 160)
    #expect(configuration.loraDropout == 0.1)
    #expect(configuration.targetModules == ["self_attn.q_proj"])
    #expect(configuration.saveSteps == 100 && configuration.resolved().saveStrategy == .steps)
    #expect(configuration.evaluationSteps == 50 && configuration.loggingSteps == 5)
    #expect(configuration.maxLength == 256 && configuration.accumulationSteps == 4)
  }

  @Test("What changes nothing here is noted with a reason")
  func notes() throws {
    var reader = SettingReader()
    try reader.read(yaml: "bf16: true\nreport_to: wandb", path: "run.yaml")
    #expect(
      reader.notes == [
        "bf16 is left aside: the arithmetic follows --precision.",
        "report_to is left aside: metrics.jsonl, TensorBoard files and a report are always written.",
      ])
  }

  @Test("--set holds over the file, dotted keys included")
  func assignments() throws {
    var reader = SettingReader()
    try reader.read(yaml: "lora:\n  rank: 4\nmax_steps: 10", path: "run.yaml")
    try reader.read(assignment: "lora.rank=32")
    try reader.read(assignment: "max_steps=null")
    try reader.read(assignment: "target_modules=[q_proj, down_proj]")
    try reader.read(assignment: "data=a.jsonl")
    #expect(reader.configuration.loraRank == 32)
    #expect(reader.configuration.maxSteps == nil)
    #expect(reader.configuration.targetModules == ["q_proj", "down_proj"])
    #expect(reader.configuration.data == ["a.jsonl"])
  }

  @Test("An unknown key names the nearest known one")
  func unknown() {
    #expect(
      Self.message(of: "learning_rat: 1e-4")
        == "There is no setting 'learning_rat' (in 'run.yaml'); did you mean 'learning_rate'?")
    #expect(
      Self.message(setting: "lora.rnak=8")
        == "There is no setting 'lora.rnak' (in --set); did you mean 'lora.rank'?")
    #expect(
      Self.message(of: "colour_of_the_sky: blue")
        == "There is no setting 'colour_of_the_sky' (in 'run.yaml').")
  }

  @Test(
    "A value out of range names key, value and range",
    arguments: [
      (
        "learning_rate: 50",
        "learning_rate is 50 in 'run.yaml'; it must be a number between 0 and 10, or null."
      ),
      (
        "learning_rate: nan",
        "learning_rate is 'nan' in 'run.yaml'; it must be a number between 0 and 10, or null."
      ),
      (
        "batch_size: 2.5",
        "batch_size is 2.5 in 'run.yaml'; it must be a whole number between 1 and 65536."
      ),
      (
        "max_steps: 0",
        "max_steps is 0 in 'run.yaml'; it must be a whole number between 1 and 1000000000, or null."
      ),
      (
        "optim: adam_mini",
        "optim is 'adam_mini' in 'run.yaml'; it must be one of adamw_torch, adamw_8bit, adafactor, "
          + "sgd, lion."
      ),
      ("packing: maybe", "packing is 'maybe' in 'run.yaml'; it must be true or false."),
      (
        "rank_pattern: {q_proj: 0}",
        "rank_pattern is {q_proj: 0} in 'run.yaml'; it must give a whole number between 1 and 65536 "
          + "for each pattern."
      ),
      ("seed: -1", "seed is -1 in 'run.yaml'; it must be a whole number of at least 0."),
      (
        "lora_parameters: {scale: big}",
        "lora_parameters.scale is 'big' in 'run.yaml'; it must be a number between 1e-06 and 1000000."
      ),
    ])
  func ranges(yaml: String, message: String) {
    #expect(Self.message(of: yaml) == message)
  }

  @Test("A file that is no list of settings is an error that says so")
  func malformed() {
    #expect(
      Self.message(of: "- 1\n- 2")
        == "'run.yaml' holds no settings; write one a line, as 'max_steps: 100'.")
    #expect(
      Self.message(of: "batch_size: 4\nmicro_batch_size: 8")
        == "'run.yaml' gives per_device_train_batch_size twice: 'batch_size' is 4 and "
        + "'micro_batch_size' is 8.")
    #expect(Self.message(of: "a: [1").hasPrefix("'run.yaml' is not YAML: "))
    #expect(Self.message(of: "seed: 1\nseed: 2").hasPrefix("'run.yaml' is not YAML: "))
    #expect(
      Self.message(setting: "nothing")
        == "'--set nothing' is not understood; write --set key=value.")
    #expect(Self.message(of: "") == "no error")
  }

  @Test("Settings that contradict one another are refused")
  func contradictions() throws {
    func message(_ yaml: String) -> String {
      do {
        try Self.read(yaml).validate()
        return "no error"
      } catch {
        return (error as? TrainingError)?.message ?? "\(error)"
      }
    }
    #expect(
      message("load_best_model_at_end: true")
        == "load_best_model_at_end needs an evaluation; give validation files or a validation_split."
    )
    #expect(
      message("num_layers: 4\nlayers_to_transform: [0]")
        == "num_layers and layers_to_transform both choose layers; give one of them.")
  }

  @Test("The written YAML is read again as the same, for defaults and for everything changed")
  func roundTrip() throws {
    var changed = try Self.read(
      """
      model: "7b: it's"
      data: [a b.jsonl, 'no']
      alpha_pattern: {q_proj: 0.5}
      layers_to_transform: [0, 2]
      save_total_limit: null
      lr: 3.3e-5
      method: full
      optim: lion
      """)
    for configuration in [TrainingConfiguration(), changed] {
      let written = configuration.yaml
      let again = try TrainingConfiguration(yaml: written, path: "again.yaml")
      #expect(again == configuration.resolved(), "\(written)")
      #expect(again.yaml == written)
    }
    changed.maxSteps = 5
    let data = try JSONEncoder().encode(changed)
    #expect(try JSONDecoder().decode(TrainingConfiguration.self, from: data) == changed)
  }

  @Test("Defaults follow the method and the optimiser")
  func defaults() throws {
    #expect(TrainingConfiguration().effectiveLearningRate == 2e-4)
    #expect(try Self.read("method: full").effectiveLearningRate == 2e-5)
    #expect(try abs(Self.read("optim: lion").effectiveLearningRate - 2e-5) < 1e-12)
    #expect(try Self.read("optim: lion").effectiveBeta2 == 0.99)
    #expect(try Self.read("optim: lion\nlr: 0.5").effectiveLearningRate == 0.5)
  }

  @Test("What a resumed run may change is no difference; what changes its bits is named")
  func differences() throws {
    let first = try Self.read("max_steps: 10")
    let second = try Self.read("max_steps: 10\nsave_steps: 3\nlogging_steps: 2\noutput_dir: other")
    #expect(second.differences(from: first).isEmpty)
    #expect(first.checksum == second.checksum)
    let third = try Self.read("max_steps: 11\nlearning_rate: 1e-3\nr: 2")
    #expect(third.differences(from: first) == ["max_steps", "learning_rate", "lora_r"])
    #expect(first.checksum != third.checksum)
  }

  @Test("Every key and alias stands for one setting, and none is also left aside")
  func keys() {
    let names = SettingKey.all.flatMap { [$0.name] + $0.aliases }
    #expect(Set(names).count == names.count)
    #expect(SettingKey.all.allSatisfy { !$0.summary.isEmpty })
  }
}

@Suite("Distance of spellings")
struct SpellingDistanceTests {
  @Test(
    "Edits are counted, a swap of neighbours as one",
    arguments: [
      ("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("rnak", "rank", 1), ("kitten", "sitting", 3),
      ("lr", "learning_rate", 11),
    ])
  func between(first: String, second: String, distance: Int) {
    #expect(SpellingDistance.between(first, second) == distance)
    #expect(SpellingDistance.between(second, first) == distance)
  }
}
