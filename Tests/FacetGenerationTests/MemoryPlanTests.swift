// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetModel
import FacetTensor
import Testing

@Suite("Memory plan")
struct MemoryPlanTests {
  @Test(
    "the plan is what a session then takes", arguments: ["gemma1", "gemma2", "gemma3", "llama"],
    [Precision.exact, .fast])
  func matchesSession(family: String, precision: Precision) throws {
    let fixture = try Fixture(family, precision: precision)
    let options = LanguageModel.LoadOptions(threads: 2, precision: precision)
    let checkpoint = try Checkpoint.open(fixture.path)
    let plan = try MemoryPlan(checkpoint, context: 200, options: options)
    var session = try Session(fixture.model, context: 200)
    let cacheBytes = session.byteCount
    #expect(plan.cache == cacheBytes)
    _ = try session.prefill((0..<200).map { 5 + $0 % 300 })
    // The workspace grows by whole megabytes.
    #expect(session.byteCount - cacheBytes <= max(2 << 20, plan.scratch * 5 / 4))
    #expect(plan.weights <= checkpoint.byteCount)
    #expect(plan.weights > checkpoint.byteCount / 2)
    #expect(plan.total == plan.weights + plan.cache + plan.scratch)
  }

  @Test("the longest context that fits is the model's own on a machine with room")
  func longestContext() throws {
    let checkpoint = try Checkpoint.open(try Fixture().path)
    #expect(try MemoryPlan.longestContext(checkpoint, options: .init()) == 256)
  }

  @Test("contexts that the model does not take are refused")
  func refusal() throws {
    let checkpoint = try Checkpoint.open(try Fixture().path)
    var message = ""
    do { _ = try MemoryPlan(checkpoint, context: 300, options: .init()) } catch {
      message = "\(error)"
    }
    #expect(
      message == "A context of 300 tokens is asked for; the model takes between 1 and 256.")
  }

  @Test("a windowed layer's cache does not grow with the context")
  func windows() throws {
    let row = try #require(ModelConfiguration.known.first { $0.family == .gemma3 })
    let short = KVCache.byteCount(row, capacity: 8192, dtype: .f16)
    let long = KVCache.byteCount(row, capacity: 32768, dtype: .f16)
    let globalLayers = (0..<row.layers).count { row.window(layer: $0) == nil }
    let perToken = globalLayers * 2 * row.keyValueWidth * 2
    #expect(long - short == (32768 - 8192) * perToken)
  }
}

@Suite("Memory of the machine")
struct MachineMemoryTests {
  @Test("/proc/meminfo is read in its own units")
  func meminfo() {
    let lines = ["MemTotal:       24657536 kB", "MemFree: 1 kB", "MemAvailable:   20000000 kB"]
    let memory = MachineMemory.machine(lines)
    #expect(memory == MachineMemory(limit: 24_657_536 * 1024, available: 20_000_000 * 1024))
    #expect(MachineMemory.machine(["nothing"]) == nil)
  }

  @Test("control groups of both versions, with those around them")
  func groups() {
    let second = MachineMemory.groups(["0::/user.slice/app"])
    #expect(
      second.map(\.directory) == [
        "/sys/fs/cgroup/user.slice/app", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup",
      ])
    #expect(second.filter { !$0.isSecond }.isEmpty)
    let first = MachineMemory.groups(["5:cpu,cpuacct:/x", "4:memory:/docker/abc"])
    #expect(
      first.map(\.directory) == [
        "/sys/fs/cgroup/memory/docker/abc", "/sys/fs/cgroup/memory/docker", "/sys/fs/cgroup/memory",
      ])
    #expect(MachineMemory.groups(["nonsense", "3:cpu:/"]) == [])
  }

  #if os(Linux)
    @Test("this machine says what it has")
    func current() throws {
      let memory = try #require(MachineMemory.current())
      #expect(memory.limit > 1 << 26)
      #expect(memory.available > 0 && memory.available <= memory.limit)
    }
  #endif
}

@Suite("Bytes for people")
struct ByteTextTests {
  @Test(
    "three digits and a unit",
    arguments: [
      (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1500, "1.5 kB"), (999_600, "1.0 MB"),
      (12_345_678, "12.3 MB"), (253_000_000, "253 MB"), (1_050_000_000, "1.05 GB"),
    ])
  func text(count: Int, expected: String) {
    #expect("\(ByteText(count))" == expected)
  }
}
