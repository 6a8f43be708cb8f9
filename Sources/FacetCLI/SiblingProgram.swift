// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Another program of this package, which lies beside this one.
enum SiblingProgram {
  /// Turns this process into the program called `name`; returns only by throwing.
  ///
  /// The process stays the same one, so signals and standard streams are the other's.
  static func become(_ name: String, _ arguments: [String], absent: String) throws {
    let own = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    let path = own.resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent(name).path
    guard FileManager.default.isExecutableFile(atPath: path) else { throw Failure(absent) }
    // The strings live until the process is another; execv wants a null pointer at their end.
    var pointers = unsafe ([path] + arguments).map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    _ = unsafe execv(path, pointers)
    throw Failure("'\(path)' cannot be started: \(unsafe String(cString: strerror(errno))).")
  }
}
