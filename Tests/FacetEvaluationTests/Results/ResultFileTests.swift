// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import FacetTestSupport
import Foundation
import Testing

@Suite("Files of results")
struct ResultFileTests {
  /// Writes what was read from lm-eval's files into a folder of its own.
  private func written() throws -> (ours: String, theirs: String) {
    let result = try ResultGolden.result("first")
    let paths = try ResultWriter(output: Scratch.path("evaluation")).write(result)
    return (paths.folder, ResultGolden.path("first"))
  }

  @Test(
    "documents are written byte for byte as lm-eval writes them, hashes included",
    arguments: ["toy_a", "toy_b", "toy_c", "toy_written", "toy_whole"])
  func samples(_ task: String) throws {
    let (ours, theirs) = try written()
    let own = try ResultGolden.text(ResultGolden.file(ours, "samples_\(task)_"))
    let golden = try ResultGolden.text(ResultGolden.file(theirs, "samples_\(task)_"))
    #expect(own.split(separator: "\n").count == (task == "toy_written" ? 48 : 24))
    #expect(own == golden)
  }

  @Test("figures have lm-eval's keys in their order, and its values but for the machine's")
  func figures() throws {
    let (ours, theirs) = try written()
    let path = try ResultGolden.file(ours, "results_")
    let own = try #require(try ResultGolden.read(path).object)
    let golden = try #require(try ResultGolden.read(ResultGolden.file(theirs, "results_")).object)
    #expect(own.members.map(\.key) == golden.members.map(\.key) + ["facet"])
    let different = golden.members.filter { own[$0.key] != $0.value }.map(\.key)
    #expect(different == ["config", "transformers_version", "lm_eval_version"])
    let (config, theirConfig) = (own["config"]?.object, golden["config"]?.object)
    #expect(config?.members.map(\.key) == theirConfig?.members.map(\.key))
    #expect(theirConfig?.members.filter { config?[$0.key] != $0.value }.map(\.key) == ["device"])
    // Indented and spelt as json.dumps does it.
    #expect(try ResultGolden.text(path) == PythonOutput.dumps(.object(own), indent: 2))
  }

  @Test("a group's figures, computed from its tasks, are lm-eval's to the last digit")
  func groups() throws {
    let result = try ResultGolden.result("first")
    let tasks = ["toy_a", "toy_b", "toy_c"].compactMap(result.task)
    let golden = result.groups
    var toys = GroupResult(
      name: "toys", alias: "Toys", version: "1.5", members: ["toys::toys_inner", "toy_c"])
    toys.aggregate(
      [.init(metric: "acc"), .init(metric: "acc_norm", isWeighted: false)], over: tasks)
    var inner = GroupResult(
      name: "toys::toys_inner", alias: "inner", version: "2", members: ["toy_a", "toy_b"])
    inner.aggregate([.init(metric: "acc")], over: Array(tasks.prefix(2)))
    #expect(Set(golden) == [toys, inner])
  }

  @Test("a model's name makes a folder as lm-eval makes it, and never leads out of it")
  func folders() {
    #expect(ResultNames.sanitized("google/gemma-3-270m") == "google__gemma-3-270m")
    #expect(ResultNames.sanitized("a:b//c?*d[e]") == "a__b__c__d__e__")
    #expect(ResultNames.sanitized("..") == "__")
    #expect(ResultNames.sanitized("../x") == "..__x")
  }

  @Test("the moment in a file's name is written as Python's isoformat, colons as dashes")
  func stamps() throws {
    let zone = try #require(TimeZone(secondsFromGMT: 3600))
    let date = Date(timeIntervalSince1970: 1_795_633_071.25)
    #expect(ResultNames.stamp(date, in: zone) == "2026-11-25T19-57-51.250000")
    #expect(
      ResultNames.stamp(Date(timeIntervalSince1970: 0), in: zone) == "1970-01-01T01-00-00")
  }

  @Test("an evaluation that was not written by lm-eval comes back as it was")
  func ownResult() throws {
    var model = EvaluationResult.ModelFacts(name: "gemma3:270m")
    model.bos = .init("<bos>", 2)
    model.contextLength = 32768
    model.digest = "abc"
    var result = EvaluationResult(model: model, start: 1.5, seconds: 2.25)
    result.settings.limit = 10
    result.settings.suite = "gemma-report"
    var task = TaskScore(task: "one/two", shots: 5, documentCount: 7)
    task.metrics = [.init(name: "acc", value: 0.5, standardError: nil)]
    task.documents = [
      DocumentScore(
        index: 3, document: .members([("q", .string("?"))]), target: "1",
        requests: [
          .init(context: "c", continuation: " a"), .init(context: "c", continuation: " b"),
        ],
        responses: [
          .likelihood(logProbability: -1e-5, isGreedy: true),
          .likelihood(logProbability: -12, isGreedy: false),
        ], verdicts: [.init(values: ["acc": 1])])
    ]
    result.tasks = [task]
    let output = Scratch.path("evaluation")
    let paths = try ResultWriter(output: output).write(result)
    #expect(paths.samples == ["\(paths.folder)/samples_one__two_\(paths.stamp).jsonl"])
    let back = try ResultReader(output).read()
    #expect(back.model == model)
    #expect(back.settings == result.settings)
    #expect(back.tasks[0].metrics == task.metrics)
    #expect(back.tasks[0].documents[0].responses == task.documents[0].responses)
    #expect(back.tasks[0].documents[0].requests == task.documents[0].requests)
    #expect(back.tasks[0].documents[0].document == task.documents[0].document)
  }

  @Test("what is no result is refused with a sentence that says why")
  func refusals() throws {
    let folder = Scratch.path("evaluation")
    try FileManager.default.createDirectory(
      atPath: folder + "/m", withIntermediateDirectories: true)
    func sentence(_ path: String) -> String {
      do throws(EvaluationError) {
        _ = try ResultReader(path).read()
        return "none"
      } catch {
        return error.message
      }
    }
    #expect(sentence(folder + "/x") == "There is nothing at '\(folder)/x'.")
    #expect(sentence(folder) == "There is no file results_….json in '\(folder)'.")
    let file = folder + "/m/results_2026-01-01T00-00-00.json"
    try "{\"a\": 1}".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(
      sentence(folder)
        == "'\(file)' has no 'results': it is no file of results of an evaluation.")
    try "{\"results\": {\"t\": {\"acc,none\": 1}}}".write(
      toFile: file, atomically: true, encoding: .utf8)
    let samples = folder + "/m/samples_t_2026-01-01T00-00-00.jsonl"
    try "\n{\"doc_id\": 0}\n".write(toFile: samples, atomically: true, encoding: .utf8)
    #expect(
      sentence(folder)
        == "\(samples), line 2: this is no sample: 'doc_id', 'arguments' or 'resps' is missing.")
    #expect(sentence("/dev/null") == "Cannot read '/dev/null'.")
  }

  @Test("a folder that cannot be made is an error of writing")
  func unwritable() throws {
    let result = EvaluationResult(model: .init(name: "m"), start: 0, seconds: 0)
    let error = #expect(throws: EvaluationError.self) {
      try ResultWriter(output: "/dev/null/x").write(result)
    }
    #expect(error?.code == .unwritable)
    #expect(error?.message.hasPrefix("Cannot make the folder '/dev/null/x/m': ") == true)
  }
}
