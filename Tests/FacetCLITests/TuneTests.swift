// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Testing

@Suite("facet tune")
struct TuneTests {
  /// Rows of a task that a small model learns.
  static func rows() throws -> String {
    let path = TinyModel.folder + "/tune-\(UUID().uuidString).jsonl"
    let rows = (0..<16).map { "{\"prompt\":\"n \($0) is\",\"completion\":\" \($0 * 3) so.\"}\n" }
    try rows.joined().write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  static func facet(_ arguments: [String]) throws -> Facet.Outcome {
    try Facet.Child(arguments).outcome()
  }

  static func output() -> String { TinyModel.folder + "/tuned-" + UUID().uuidString }

  static func arguments(_ rows: String, _ output: String, _ more: [String] = []) -> [String] {
    [
      "tune", TinyModel.base, "--data", rows, "-o", output, "--precision", "exact",
      "--set", "max_length=64", "--set", "learning_rate=0.01", "--set", "save_steps=2",
      "--set", "max_steps=40", "--set", "per_device_train_batch_size=2",
    ] + more
  }

  static func adapter(_ output: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: output + "/adapter_model.safetensors"))
  }

  @Test("a tuned adapter is attached to the model that it was made for")
  func tunes() throws {
    let (rows, output) = (try Self.rows(), Self.output())
    let outcome = try Self.facet(Self.arguments(rows, output))
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.hasPrefix("\(output): 40 steps, loss "))
    #expect(outcome.error.contains("16 rows, "))
    let lines = try String(contentsOfFile: output + "/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 40)
    let answer = try Self.facet([
      "run", TinyModel.base, "--adapter", output, "--max-tokens", "4", "--temperature", "0",
      "n 3 is",
    ])
    #expect(answer.status == 0, "\(answer.error)")
    let plain = try Self.facet([
      "run", TinyModel.base, "--max-tokens", "4", "--temperature", "0", "n 3 is",
    ])
    #expect(answer.output != plain.output)
  }

  @Test("a base model is taught to converse, attached and merged")
  func conversations() throws {
    let rows = TinyModel.folder + "/tune-\(UUID().uuidString).jsonl"
    try (0..<16).map { index in
      "{\"messages\":[{\"role\":\"user\",\"content\":\"n \(index)\"},"
        + "{\"role\":\"assistant\",\"content\":\"\(index * 3)\"}]}\n"
    }.joined().write(toFile: rows, atomically: true, encoding: .utf8)
    let output = Self.output()
    let refused = try Self.facet(Self.arguments(rows, output))
    #expect(refused.status == 1)
    #expect(refused.error.contains("this model has no chat format"))
    let unknown = try Self.facet(Self.arguments(rows, output, ["--set", "chat_format=llama2"]))
    #expect(
      unknown.error
        == "facet: chat_format is 'llama2' in --set; it must be null or one of gemma, chatML.\n")
    let made = try Self.facet(Self.arguments(rows, output, ["--set", "chat_format=chatML"]))
    #expect(made.status == 0, "\(made.error)")
    let template = try String(contentsOfFile: output + "/chat_template.jinja", encoding: .utf8)
    #expect(template.contains("<|im_start|>"))

    // A system text is for those who converse.
    func ask(_ model: [String]) throws -> Facet.Outcome {
      try Self.facet(
        ["run"] + model + ["n 3", "--max-tokens", "4", "--temperature", "0", "--system", "s"])
    }
    #expect(try ask([TinyModel.base]).error.contains("is a base model and knows no system text"))
    let attached = try ask([TinyModel.base, "--adapter", output])
    #expect(attached.status == 0, "\(attached.error)")
    let merged = output + "/merged.gguf"
    #expect(
      try Self.facet(["merge", TinyModel.base, output, "-o", merged, "--type", "F32"]).status == 0)
    let answer = try ask([merged])
    #expect(answer.status == 0 && answer.output == attached.output, "\(answer.error)")
    #expect(try Self.facet(["show", merged]).output.contains("chat format   chatML"))
  }

  @Test("a full disk ends a run with a sentence, and what was complete before stays")
  func fullDisk() throws {
    let (rows, output) = (try Self.rows(), Self.output())
    let more = ["--set", "save_steps=1", "--set", "max_steps=3"]
    let first = try Self.facet(Self.arguments(rows, output, more))
    #expect(first.status == 0, "\(first.error)")
    let adapter = try Self.adapter(output)
    let names = try FileManager.default.contentsOfDirectory(atPath: output).sorted()

    // A limit on the size of files stands in for the end of the disk: a write fails, nobody is killed.
    let other = Self.output()
    let limited = Process()
    limited.executableURL = URL(fileURLWithPath: "/bin/sh")
    limited.arguments =
      ["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"", Facet.executable]
      + Self.arguments(rows, other, more)
    let error = Pipe()
    limited.standardError = error
    limited.standardOutput = FileHandle.nullDevice
    try limited.run()
    let said = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    limited.waitUntilExit()
    #expect(limited.terminationStatus == 1)
    #expect(said.contains("facet: Cannot write '\(other)"), "\(said)")
    let left = try FileManager.default.contentsOfDirectory(atPath: other)
    #expect(!left.contains { $0.hasPrefix("checkpoint-") || $0.contains("unfinished") }, "\(left)")
    // The same run goes on where there is room.
    let again = try Self.facet(Self.arguments(rows, other, more))
    #expect(again.status == 0, "\(again.error)")
    #expect(try Self.adapter(other) == adapter)
    #expect(try FileManager.default.contentsOfDirectory(atPath: other).sorted() == names)
  }

  @Test(
    "a run that was killed, or told to end, goes on to the bits of one that was not",
    arguments: [
      SIGKILL, SIGTERM,
    ])
  func killed(signal: Int32) throws {
    let (rows, whole, output) = (try Self.rows(), Self.output(), Self.output())
    #expect(try Self.facet(Self.arguments(rows, whole)).status == 0)

    let child = try Facet.Child(Self.arguments(rows, output))
    while !FileManager.default.fileExists(atPath: output + "/checkpoint-4"), child.process.isRunning
    {
      usleep(2000)
    }
    kill(child.process.processIdentifier, signal)
    child.process.waitUntilExit()
    #expect(!FileManager.default.fileExists(atPath: output + "/adapter_model.safetensors"))
    if signal == SIGTERM { #expect(child.process.terminationStatus == 130) }

    let again = try Self.facet(Self.arguments(rows, output, ["--resume"]))
    #expect(again.status == 0, "\(again.error)")
    #expect(again.error.contains("going on after step "))
    #expect(try Self.adapter(output) == Self.adapter(whole))
  }

  @Test("a dry run says what would happen and leaves nothing behind")
  func dryRun() throws {
    let (rows, output) = (try Self.rows(), Self.output())
    let outcome = try Self.facet(Self.arguments(rows, output, ["--dry-run"]))
    #expect(outcome.status == 0, "\(outcome.error)")
    for word in ["rows", "tokens", "steps", "gradients", "activations", "together", "tokens/s"] {
      #expect(outcome.output.contains(word), "\(word)")
    }
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test("settings come from a file, then from --set, and are written down resolved")
  func settings() throws {
    let (rows, output) = (try Self.rows(), Self.output())
    let file = TinyModel.folder + "/run-\(UUID().uuidString).yaml"
    try "iters: 3\nlora_parameters:\n  rank: 2\nlearning_rate: 0.5\n"
      .write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try Self.facet([
      "tune", TinyModel.base, "--data", rows, "-o", output, "-c", file, "--set",
      "learning_rate=0.001", "--set", "max_length=64", "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.error)")
    let saved = try String(contentsOfFile: output + "/configuration.yaml", encoding: .utf8)
    for line in ["max_steps: 3", "lora_r: 2", "learning_rate: 0.001", "method: lora"] {
      #expect(saved.contains(line + "\n"), "\(saved)")
    }
    let first = outcome.output.split(separator: "\n").first ?? ""
    #expect(first.hasPrefix("{\"plan\":"), "\(outcome.output)")
  }

  @Test("what is wrong is said in a sentence")
  func errors() throws {
    let (rows, output) = (try Self.rows(), Self.output())
    func complaint(_ more: [String]) throws -> String {
      try Self.facet(Self.arguments(rows, output, more)).error
    }
    #expect(
      try complaint(["--set", "learning_rte=1"])
        == "facet: There is no setting 'learning_rte' (in --set); did you mean 'learning_rate'?\n")
    #expect(
      try complaint(["--method", "magic"])
        == "facet: method is 'magic' in --set; it must be one of lora, qlora, full.\n")
    #expect(
      try complaint(["--resume"])
        == "facet: There is no checkpoint in '\(output)' to go on from. Start without --resume.\n")
    #expect(
      try complaint(["-c", "/nowhere.yaml"]).hasPrefix("facet: Cannot read '/nowhere.yaml': "))
    let blocked = TinyModel.folder + "/blocked-\(UUID().uuidString)"
    try "a file".write(toFile: blocked, atomically: true, encoding: .utf8)
    #expect(
      try Self.facet(Self.arguments(rows, blocked)).error
        .contains("facet: Cannot write '\(blocked)': "))
  }
}
