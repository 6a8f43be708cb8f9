// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetStore
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Pulls in processes of their own, which are killed, or meet.
///
/// The process is StoreKillProbe beside the tests; FACET_PULL_COMMAND names another one, such as
/// `/path/to/facet pull`, which takes the model as its last argument.
@Suite("Pulls that are killed, and pulls that meet", .serialized)
struct KilledPullTests {
  let library: Library
  let hub: FakeHub
  private let name = "hf:owner/model"

  init() throws {
    library = try Library()
    hub = try FakeHub([
      "config.json": FakeHub.File(
        bytes: [UInt8]("hello\n".utf8), isLarge: false,
        gitSHA1: "ce013625030ba8dba906f756967f9e9ca394464a"),
      "model.safetensors": FakeHub.File(bytes: noise(1_000_000, seed: 11)),
      "tokenizer.json": FakeHub.File(bytes: noise(300_000, seed: 12)),
    ])
    hub.pause(.milliseconds(4))
  }

  static var command: [String] {
    if let text = ProcessInfo.processInfo.environment["FACET_PULL_COMMAND"] {
      return text.split(separator: " ").map { String($0) }
    }
    let tests =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
    // On macOS the tests are a bundle whose program lies three directories down.
    var directory = DiskFile.parent(tests)
    while !DiskFile.exists(directory + "/StoreKillProbe"), directory.count > 1 {
      directory = DiskFile.parent(directory)
    }
    return [directory + "/StoreKillProbe"]
  }

  /// Starts a pull; its lines are read from `output`.
  private func start(_ output: Pipe = Pipe()) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.command[0])
    process.arguments = Self.command.dropFirst() + [name]
    process.environment = ProcessInfo.processInfo.environment.merging([
      "FACET_HOME": library.home, "HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_x",
    ]) { $1 }
    process.standardOutput = output
    process.standardError = FileHandle.standardError
    try process.run()
    return process
  }

  /// Nothing of the model may be seen, or all of it.
  private func checkWhole() throws -> Bool {
    let store = try library.store(hub)
    let listed = try store.list()
    let found = try store.find(name)
    #expect(listed.isEmpty == (found == nil))
    guard found != nil else {
      #expect(throws: StoreError.self) { try store.locate(name) }
      return false
    }
    try store.verify(name)
    let path = try store.locate(name)
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
      #expect(DiskFile.exists("\(path)/\(file)"), "\(file)")
    }
    return true
  }

  @Test("killed at any moment, a pull shows nothing or a whole model, and the next one goes on")
  func killed() async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("killed pulls: seed \(seed)")
    var random = noise(1000, seed: seed)[...]
    var (kills, completions) = (0, 0)
    for round in 0..<30 {
      // Every other round lets all bytes come, so that checking and putting away are cut off too.
      let rest = 1_300_006 - library.partialByteCount
      let share = round.isMultiple(of: 2) ? Double(random.removeFirst()) / 255 : 1
      let target = hub.bodyByteCount + Int(Double(rest) * share)
      let process = try start()
      while process.isRunning, hub.bodyByteCount < target {
        try await Task.sleep(for: .milliseconds(1))
      }
      try await Task.sleep(for: .milliseconds(Int(random.removeFirst()) / 4))
      if process.isRunning { kills += 1 }
      _ = kill(process.processIdentifier, SIGKILL)
      await ended(process)
      if try checkWhole() {
        completions += 1
        try DiskFile.remove(library.home)
      }
    }
    print("killed pulls: \(kills) of 30 killed, \(completions) left a whole model")
    #expect(kills > 0)
    try await completes()
  }

  /// What a killed pull has left is not fetched again.
  private func completes() async throws {
    try DiskFile.remove(library.home)
    let process = try start()
    while library.partialByteCount < 400_000, process.isRunning {
      try await Task.sleep(for: .milliseconds(2))
    }
    _ = kill(process.processIdentifier, SIGKILL)
    await ended(process)
    #expect(try !checkWhole())
    let partial = try #require(library.files.first { $0.hasSuffix("-model.safetensors") })
    let kept = try #require(DiskFile.byteCount("\(library.home)/\(partial)"))
    try await library.store(hub).pull(name)
    #expect(try checkWhole())
    #expect(
      hub.requests(about: "model.safetensors").last?.headers["range"] == "bytes=\(kept)-999999")
  }

  @Test("two processes that pull the same model: one fetches, the other waits and finds it there")
  func together() async throws {
    let (one, two) = (Pipe(), Pipe())
    hub.pause(.milliseconds(200))  // time enough for the other one to come
    let first = try start(one)
    while hub.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
    let second = try start(two)
    await ended(first)
    await ended(second)
    #expect(first.terminationStatus == 0)
    #expect(second.terminationStatus == 0)
    #expect(try checkWhole())
    #expect(hub.requests(about: "model.safetensors").count == 1)
    let said = String(decoding: two.fileHandleForReading.availableData, as: UTF8.self)
    #expect(said.hasPrefix("waiting\n"))
  }

  @Test("a process that is killed gives its lock up")
  func lock() async throws {
    let process = try start()
    while hub.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
    _ = kill(process.processIdentifier, SIGKILL)
    await ended(process)
    let library = library
    try await library.store(hub).pull(name, progress: library.note)
    #expect(library.events.allSatisfy { $0.phase != .waiting })
    #expect(try checkWhole())
  }

  private func ended(_ process: Process) async {
    while process.isRunning { try? await Task.sleep(for: .milliseconds(2)) }
  }
}
