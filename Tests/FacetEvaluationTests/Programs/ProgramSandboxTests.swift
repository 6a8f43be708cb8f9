// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetTestSupport
import Foundation
import Testing

/// Each program is the attempt itself: it passes when it gets what it wants.
@Suite(
  "A program that a model wrote",
  .enabled(if: HarnessTests.sandbox != nil, "needs python3 and a Linux with Landlock"))
struct ProgramSandboxTests {
  private func verdict(_ program: String) throws -> ProgramSandbox.Verdict {
    try #require(HarnessTests.sandbox).run(program)
  }

  private func isDenied(_ program: String) throws -> Bool {
    try verdict(program).problem?.hasPrefix("failed: PermissionError") ?? false
  }

  @Test("passes when it runs to its end, whatever it prints")
  func passes() throws {
    #expect(try verdict("") == .passed)
    #expect(
      try verdict(
        "import math, json, re, hashlib, datetime\nassert math.sqrt(4) == 2\nprint('x' * 100000)")
        == .passed)
    #expect(
      try verdict("def f(x):\n    return x * 2\nassert f(3) == 6 and 'ü' == '\\u00fc'") == .passed)
  }

  @Test("fails by its own error, by a wrong answer, and by going away before the end")
  func fails() throws {
    #expect(try verdict("assert 1 == 2, 'no'") == .failed("failed: AssertionError: no"))
    #expect(try verdict("def f(:").problem?.hasPrefix("failed: SyntaxError") == true)
    #expect(try verdict("exit(0)") == .failed("failed: SystemExit: 0"))
    #expect(try verdict("import os\nos._exit(0)") == .failed("no verdict"))
    #expect(try verdict("import sys\nsys.stdin.read()\nraise KeyError(sys.argv)").problem != nil)
  }

  @Test("is ended after its time, whether it computes, waits or holds its ears")
  func time() throws {
    #expect(try verdict("while True: pass") == .timedOut)
    #expect(try verdict("import time\ntime.sleep(60)") == .timedOut)
    let deaf = """
      import signal
      signal.signal(signal.SIGALRM, signal.SIG_IGN)
      signal.signal(signal.SIGXCPU, signal.SIG_IGN)
      while True: pass
      """
    #expect(try verdict(deaf) == .timedOut)
  }

  @Test("gets no memory beyond its limit")
  func memory() throws {
    #expect(try verdict("x = bytearray(4 << 30)") == .failed("failed: MemoryError: "))
    #expect(
      try verdict("import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))")
        .problem != nil)
  }

  @Test(
    "starts no process and no thread",
    arguments: [
      "import os\nos.fork()", "import subprocess\nsubprocess.run(['true'])",
      "import os\nos.system('true') == 0 or exit(1)",
      "import os\nos.execv('/bin/true', ['true'])",
      "import threading\nthreading.Thread(target=print).start()",
      "import ctypes\nassert ctypes.CDLL(None).syscall(57) > 0",
      "import multiprocessing\nmultiprocessing.Process(target=print).start()",
    ])
  func processes(_ program: String) throws { #expect(try verdict(program) != .passed) }

  @Test(
    "opens no socket",
    arguments: [
      "import socket\nsocket.socket()", "import socket\nsocket.socketpair()",
      "import urllib.request\nurllib.request.urlopen('http://127.0.0.1')",
    ])
  func network(_ program: String) throws { #expect(try verdict(program) != .passed) }

  @Test("writes, creates, changes and removes no file")
  func files() throws {
    let path = Scratch.path("victim")
    try Data("unharmed".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    for attempt in [
      "open('\(path)', 'w')", "open('\(path)', 'a')", "open('\(path)', 'r+')",
      "import os; os.remove('\(path)')",
      "import os; os.truncate('\(path)', 0)", "import os; os.rename('\(path)', '\(path).2')",
      "import os; os.chmod('\(path)', 0)",
      "import os; os.symlink('\(path)', '\(path).3')", "import os; os.mkdir('\(path).4')",
      "open('\(path).5', 'w').write('x' * 10**9)",
      "import tempfile; tempfile.TemporaryFile()",
    ] {
      #expect(try verdict(attempt) != .passed, "\(attempt)")
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "unharmed")
    let file = URL(fileURLWithPath: path)
    let left = try FileManager.default.contentsOfDirectory(
      atPath: file.deletingLastPathComponent().path)
    #expect(left.filter { $0.hasPrefix(file.lastPathComponent) } == [file.lastPathComponent])
  }

  @Test("reads no file but Python's own, and no environment")
  func reading() throws {
    #expect(ProcessInfo.processInfo.environment["PATH"] != nil)
    #expect(try isDenied("open('/etc/passwd').read()"))
    #expect(try isDenied("open('/proc/self/environ').read()"))
    #expect(try isDenied("import os\nopen(f'/proc/{os.getppid()}/environ').read()"))
    #expect(try isDenied("import os\nos.listdir('/')"))
    #expect(
      try verdict("import os\nassert 'PATH' in os.environ")
        == .failed("failed: AssertionError: "))
    #expect(try verdict("import os\nassert os.environ") == .failed("failed: AssertionError: "))
  }

  @Test("sends no signal to others")
  func signals() throws {
    #expect(try isDenied("import os, signal\nos.kill(os.getppid(), signal.SIGTERM)"))
    #expect(try isDenied("import os, signal\nos.kill(1, 0)"))
  }
}
